#!/usr/bin/env python3
"""Faults of the disk under a running server: full, read-only, opened twice, damaged. A clear error, CHAT_STORE_UNAVAILABLE
and no receipt, nothing acknowledged lost, and service again when the fault is gone."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from harness import Server, Skip, Stomp, check, equal, eventually, expect, request, run, run_parley, services, short
from harness.rooms import degraded, fill, history, post, whole_history


def command(*line):
    return subprocess.run(line, capture_output=True, text=True)


@contextlib.contextmanager
def mounted(*options):
    """A file system of its own, unmounted in the end; skips where that is not allowed."""
    where = tempfile.mkdtemp(prefix="parley-mount-")
    result = command("mount", *options, where)
    if result.returncode:
        os.rmdir(where)
        raise Skip(f"cannot mount here: {result.stderr.strip()[:120]}")
    try:
        yield where
    finally:
        command("umount", "--lazy", where)
        with contextlib.suppress(OSError):
            os.rmdir(where)


def fill_disk(folder):
    """Takes all the space there is; returns the file to remove again."""
    path = os.path.join(folder, "ballast")
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"\0" * size)
    return path


def refused_until(server, room, limit=30):
    """SENDs until one is refused; returns the contents that were acknowledged on the way."""
    acknowledged = []
    with Stomp(server, "u-full", room=room) as client:
        client.watch_errors()
        text = "가득 " * 2000
        end = time.monotonic() + limit
        while time.monotonic() < end:
            receipt = client.new_receipt()
            content = f"{len(acknowledged)} {text}"
            client.chat(content, receipt=receipt)
            frame = client.answer(receipt)
            if frame.command != "RECEIPT":
                break
            acknowledged.append(content)
        expect(frame.command == "MESSAGE", f"{len(acknowledged)} messages were taken and none refused")
        equal(frame.json()["code"], "CHAT_STORE_UNAVAILABLE")
        answer = post(server, room, text, within=30)
        equal((answer.status, answer.code()), (503, "CHAT_STORE_UNAVAILABLE"), "REST")
    return acknowledged


def service_resumes(server, room):
    eventually(lambda: post(server, room, "and again", "u-back", within=30).status == 201, limit=40, what="service after the fault")


@check("a full disk (size-limited tmpfs): refused without receipt, nothing acknowledged lost, service when there is room again", limit=180)
def _():
    with mounted("-t", "tmpfs", "-o", "size=160m", "none") as disk:
        with Server(data_dir=os.path.join(disk, "data")) as server:
            before = fill(server, "full", 20)
            ballast = fill_disk(disk)
            acknowledged = refused_until(server, "full")
            expect(server.alive(), "the server ended")
            equal(request(server, "GET", "/health").status, 200, "/health")
            equal(history(server, "full", after=0, limit=20), before, "history can be read meanwhile")
            os.remove(ballast)
            service_resumes(server, "full")
            log = whole_history(server, "full")
            equal(log[:20], before)
            stored = [m["content"] for m in log]
            expect(set(acknowledged) <= set(stored), "an acknowledged message is gone")
            equal([m["seq"] for m in log], list(range(1, len(log) + 1)), "seqs")
            server.kill()
            server.start()
            after_restart = whole_history(server, "full")
            equal(after_restart[:len(log)], log, "after SIGKILL and restart")


@check("a disk that is full at the start: exit status 2 and one clear line, or the service refuses SENDs", limit=60)
def _():
    with mounted("-t", "tmpfs", "-o", "size=8m", "none") as disk:
        fill_disk(disk)
        result = run_parley("serve", "--listen", "127.0.0.1:0", "--data-dir", os.path.join(disk, "data"))
        equal(result.returncode, 2, "exit status")
        expect("data" in result.stderr and 1 <= len(result.stderr.strip().splitlines()) <= 3, short(result.stderr))


@contextlib.contextmanager
def ext4_disk(size_mib=160):
    with tempfile.TemporaryDirectory(prefix="parley-image-") as folder:
        image = os.path.join(folder, "disk.img")
        with open(image, "wb") as file:
            file.truncate(size_mib << 20)
        if not shutil.which("mkfs.ext4") or command("mkfs.ext4", "-q", "-F", image).returncode:
            raise Skip("no mkfs.ext4 here")
        with mounted("-o", "loop,errors=remount-ro", image) as disk:
            yield image, disk


def turn_read_only(disk):
    """What a kernel does to a file system on which it found an error."""
    device = command("findmnt", "-n", "-o", "SOURCE", disk).stdout.strip()
    trigger = f"/sys/fs/ext4/{os.path.basename(device)}/trigger_fs_error"
    try:
        with open(trigger, "w") as file:
            file.write("parley test")
    except OSError as error:
        raise Skip(f"cannot make the file system fail: {error}") from None


@check("a file system turned read-only: refused without receipt, the server lives, all is there when the disk is repaired", limit=180)
def _():
    with ext4_disk() as (image, disk), Server(data_dir=os.path.join(disk, "data")) as server:
        before = fill(server, "ro", 20)
        turn_read_only(disk)
        acknowledged = refused_until(server, "ro")
        expect(server.alive(), "the server ended")
        equal(request(server, "GET", "/health").status, 200, "/health")
        server.kill()
        expect(command("umount", disk).returncode == 0, "umount")
        command("fsck.ext4", "-fy", image)
        expect(command("mount", "-o", "loop", image, disk).returncode == 0, "mount")
        server.start()
        log = whole_history(server, "ro")
        equal(log[:20], before)
        expect(set(acknowledged) <= {m["content"] for m in log}, "an acknowledged message is gone")
        equal(post(server, "ro", "on again").status, 201)
        server.kill()


@check("a data directory on a read-only file system: exit status 2 and one clear line")
def _():
    with mounted("-t", "tmpfs", "-o", "size=8m,ro", "none") as disk:
        result = run_parley("serve", "--listen", "127.0.0.1:0", "--data-dir", os.path.join(disk, "data"))
        equal(result.returncode, 2, "exit status")
        expect(disk in result.stderr and 1 <= len(result.stderr.strip().splitlines()) <= 3, short(result.stderr))


@check("a store opened twice: the second server exits with 2 and names the directory, the first goes on")
def _():
    with Server() as server:
        fill(server, "twice", 3)
        result = run_parley("serve", "--listen", "127.0.0.1:0", "--data-dir", server.data_dir)
        equal(result.returncode, 2, "exit status")
        expect(server.data_dir in result.stderr and 1 <= len(result.stderr.strip().splitlines()) <= 3, short(result.stderr))
        equal(post(server, "twice", "still").json()["seq"], 4)
        server.kill()
        server.start()  # a lock that a killed process held must not outlive it
        equal(len(whole_history(server, "twice")), 4)


# damage

def store_files(server, suffix):
    return sorted((p for p in pathlib.Path(server.data_dir).rglob(f"*{suffix}") if p.is_file()), key=lambda p: p.stat().st_size)


def flip(path, at):
    """Turns sixteen bytes round at a place between 0 (start) and 1 (end)."""
    data = bytearray(path.read_bytes())
    place = min(int(len(data) * at), len(data) - 16)
    for i in range(place, place + 16):
        data[i] ^= 0xFF
    path.write_bytes(data)


def refuses_to_start(server):
    """Exit 2, a clear line that offers the repair; nothing is thrown away by trying."""
    result = run_parley("serve", "--listen", "127.0.0.1:0", "--data-dir", server.data_dir, "--set", "auth.secret=" + server.settings["auth.secret"])
    equal(result.returncode, 2, f"exit status ({short(result.stderr)})")
    expect("repair" in result.stderr, f"no repair is offered: {short(result.stderr)}")
    return result


def repairs(server):
    result = run_parley("repair", "--data-dir", server.data_dir, limit=60)
    equal(result.returncode, 0, f"exit status of repair ({short(result.stdout + result.stderr)})")
    expect((result.stdout + result.stderr).strip(), "repair says nothing")
    server.start()


@contextlib.contextmanager
def stored(count=400, **more):
    with Server(**more) as server:
        with Stomp(server, "u-dam", room="damage") as client:
            for i in range(count):
                client.chat(f"{i} " + "내용" * 50)
            client.say("last")
        log = whole_history(server, "damage")
        yield server, log


@check("a damaged write-ahead log: no start and no silent loss; after the repair what is readable is there in order", limit=90)
def _():
    with stored() as (server, log):
        server.kill()
        logs = [p for p in store_files(server, ".log") if p.stat().st_size > 10_000]
        expect(logs, f"no log file: {[p.name for p in pathlib.Path(server.data_dir).rglob('*')]}")
        flip(logs[-1], 0.3)
        refuses_to_start(server)
        repairs(server)
        after = whole_history(server, "damage")
        equal(after, [m for m in log if m["seq"] in {a["seq"] for a in after}], "what is left")
        expect(post(server, "damage", "goes on").status == 201, "POST after the repair")


@check("a torn end of the write-ahead log, as a power cut leaves it, is no damage", limit=60)
def _():
    with stored(50) as (server, log):
        server.kill()
        path = [p for p in store_files(server, ".log") if p.stat().st_size > 1000][-1]
        with open(path, "ab") as file:
            file.write(b"\x12\x34\x56")
        server.start()
        equal(whole_history(server, "damage"), log)


@check("damaged tables: no start, or the damaged range answers with an error; never a shorter list without one", limit=120)
def _():
    with stored(2000) as (server, log):
        server.stop()
        server.start()
        server.stop()
        tables = store_files(server, ".sst")
        if not tables:
            raise Skip("the store has no tables yet")
        for path in tables:
            flip(path, 0.4)
        try:
            server.start()
        except AssertionError as error:
            expect("repair" in str(error), f"no repair is offered: {short(str(error))}")
            return
        page, seen = None, []
        while page is None or page:
            answer = request(server, "GET", "/api/rooms/damage/messages", token=server.token("u-7"), after=seen[-1]["seq"] if seen else 0, limit=100)
            if answer.status != 200:
                equal((answer.status, answer.code()), (503, "CHAT_STORE_UNAVAILABLE"))
                return
            page = answer.json()
            seen += page
        equal(seen, log, "a list without an error")


for name in ("CURRENT", "MANIFEST"):
    @check(f"a damaged {name}: no start, the repair is offered, and it brings the messages back", limit=90)
    def _(name=name):
        with stored(300) as (server, log):
            server.stop()
            files = [p for p in pathlib.Path(server.data_dir).rglob(f"{name}*") if p.is_file() and p.stat().st_size]
            expect(files, f"no {name}")
            for path in files:
                if name == "CURRENT":
                    path.write_bytes(b"\xff" * 12)
                else:
                    flip(path, 0.5)
            refuses_to_start(server)
            repairs(server)
            equal(whole_history(server, "damage"), log, "the messages after the repair")


@check("an empty file in place of the store's lock or a foreign file in the directory does no harm")
def _():
    with stored(10) as (server, log):
        server.stop()
        pathlib.Path(server.data_dir, "a-foreign-file.txt").write_text("hello")
        server.start()
        equal(whole_history(server, "damage"), log)


@check("the disk of the Kafka broker is full: refused, /ready names it, and service comes back by itself with the broker", limit=180)
def _():
    with mounted("-t", "tmpfs", "-o", "size=96m", "none") as disk:
        kafka = services.Service("kafka", DATA=disk)
        settings = {"log.kind": "kafka", "kafka.brokers": kafka.url, "kafka.topics.chat": "full", "kafka.partitions": 1}
        with Server(settings) as server:
            acknowledged = []

            def goes_through():
                answer = post(server, "r-1", f"{len(acknowledged)} " + "가득 " * 2000)
                if answer.status == 201:
                    acknowledged.append(answer.json()["content"])
                return answer.status == 201
            expect(goes_through(), "a message before")
            ballast = fill_disk(disk)
            eventually(lambda: not goes_through(), limit=60, what="a refusal")
            eventually(lambda: "log" in degraded(server), limit=30, what="the fault at /ready")
            expect("messages cannot be stored" in server.log(), "a line in the log")
            os.remove(ballast)
            kafka.stop()
            kafka.start()
            eventually(goes_through, limit=60, what="service by itself")
            eventually(lambda: degraded(server) == [], limit=60, what="/ready without faults")
            found = [m["content"] for m in whole_history(server, "r-1")]
            equal([c[:5] for c in acknowledged if c not in found], [], "acknowledged and lost")
        kafka.close()


if __name__ == "__main__":
    run()
