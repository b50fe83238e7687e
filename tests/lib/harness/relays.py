"""TCP relays between a server and what it works with, in a process of their own: what comes late, in order, on a link that is slow; what
stays on its way where a link stands still."""
import asyncio
import atexit
import contextlib
import ctypes
import json
import random
import signal
import subprocess
import sys
import threading

_PR_SET_PDEATHSIG = 1
_CHUNK = 1 << 16
_CHUNKS = 16  # on their way in one direction of a connection; then the sender waits


def _die_with_parent():
    ctypes.CDLL("libc.so.6").prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Relay:
    """One of relays(): listens at `port` on loopback. What is said to it holds when the call returns, for connections that are open too."""

    def __init__(self, process, number, port):
        self._process, self._number, self.port = process, number, port

    def lead_to(self, port):
        """Connections that begin from now on."""
        return self._tell("target", port)

    def slow(self, shortest=0.05, longest=0.3):
        """Seconds, in each direction: whatever is read arrives so much later, behind what was before it."""
        return self._tell("delay", [shortest, longest])

    def stall(self):
        """Nothing arrives, and no connection comes about. Nobody is told."""
        return self._tell("stalled", True)

    def clear(self):
        """What is on its way arrives."""
        return self._tell("delay", [0, 0])._tell("stalled", False)

    def _tell(self, name, value):
        self._process.tell(self._number, name, value)
        return self


class _Process:
    def __init__(self, count):
        self._process = subprocess.Popen([sys.executable, __file__, str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                         preexec_fn=_die_with_parent)
        self._lock = threading.Lock()
        self.ports = json.loads(self._process.stdout.readline())
        atexit.register(self._process.kill)

    def tell(self, *words):
        with self._lock:
            self._process.stdin.write(json.dumps(words) + "\n")
            self._process.stdin.flush()
            if self._process.stdout.readline() != "done\n":
                raise AssertionError("the relays have ended")


def relays(count):
    process = _Process(count)
    return [Relay(process, number, port) for number, port in enumerate(process.ports)]


# --- the process --------------------------------------------------------------------------------------------------


class _Link:
    def __init__(self):
        self.target, self.delay, self.stalled = None, (0, 0), False
        self.changed = asyncio.Event()
        self.connections = set()  # the loop alone would let go of those that wait

    def set(self, name, value):
        setattr(self, name, value)
        self.changed.set()
        self.changed = asyncio.Event()

    async def pass_on(self, came, place):
        """Until what came then may go on; `place` is its delay's, between the shortest (0) and the longest (1)."""
        while True:
            left = came + self.delay[0] + place * (self.delay[1] - self.delay[0]) - asyncio.get_running_loop().time()
            if not self.stalled and left <= 0:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.changed.wait(), None if self.stalled else left)

    async def connection(self, reader, writer):
        writers = [writer]
        self.connections.add(asyncio.current_task())
        try:
            await self.pass_on(asyncio.get_running_loop().time(), random.random())
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.target)
            writers.append(there_writer)
            await asyncio.gather(self.carry(reader, there_writer), self.carry(there_reader, writer))
        except OSError:
            pass  # one of the two has gone
        finally:
            self.connections.discard(asyncio.current_task())
            for one in writers:
                one.close()

    async def carry(self, reader, writer):
        """To the end of what comes; that is told the other one behind it."""
        way = asyncio.Queue(_CHUNKS)

        async def take():
            data = b"-"
            while data:
                try:
                    data = await reader.read(_CHUNK)
                except OSError:
                    data = b""
                await way.put((asyncio.get_running_loop().time(), random.random(), data))
        taking = asyncio.ensure_future(take())
        try:
            while True:
                came, place, data = await way.get()
                await self.pass_on(came, place)
                if not data:
                    break
                writer.write(data)
                await writer.drain()
            writer.write_eof()
        finally:
            taking.cancel()


async def _run(count):
    links = [_Link() for _ in range(count)]
    servers = [await asyncio.start_server(link.connection, "127.0.0.1", 0, limit=_CHUNK) for link in links]
    print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        number, name, value = json.loads(line)
        links[number].set(name, value)
        print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(_run(int(sys.argv[1])))
