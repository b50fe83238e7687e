"""For what is done to a fleet while people talk: calls that wait, beside their loop, and how soon service is back."""
import asyncio
import concurrent.futures
import signal
import time

from .suite import equal, expect, long_tier

RESUMES_S = 10  # from a trouble's end on; held in the long tier, which has the machine to itself, else only said

# One thread to the end: what a thread started ends with it.
_THREAD = concurrent.futures.ThreadPoolExecutor(1)


async def in_thread(call, *arguments):
    return await asyncio.get_running_loop().run_in_executor(_THREAD, call, *arguments)


def ends_beside_a_still_broker(program, kafka):
    """SIGTERM to a program whose drain.limit is 2 s, while its only broker stands still."""
    kafka.signal(signal.SIGSTOP, "node0/pid")
    began = time.monotonic()
    equal(program.stop(), 0, "exit status")
    expect(time.monotonic() - began < 5, f"took {time.monotonic() - began:.1f} s")
    kafka.signal(signal.SIGCONT, "node0/pid")


class Aftermath:
    """`resumes` waits until service is back and returns the seconds."""

    def __init__(self, resumes):
        self.resumes = resumes
        self.longest = 0.0

    async def of(self, trouble, *arguments):
        """Runs it and waits until service is back; what to say of it."""
        begun = time.monotonic()
        await trouble(*arguments)
        lasted = time.monotonic() - begun
        resumed = await in_thread(self.resumes)
        self.longest = max(self.longest, resumed)
        return f"{trouble.__name__}: {lasted:.1f} s, service after {resumed:.1f} s"

    def expect_soon(self):
        if long_tier():
            expect(self.longest <= RESUMES_S, f"service came back after {self.longest:.1f} s")
