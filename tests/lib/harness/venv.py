"""Python packages that other people wrote, in a venv of their own under build/, from a pinned list.

A suite that needs them calls enter() first; it comes back inside the venv."""
import fcntl
import hashlib
import os
import subprocess
import sys

from .suite import ROOT

_LIST = ROOT / "tests" / "lib" / "requirements.txt"


def enter():
    digest = hashlib.sha256(_LIST.read_bytes()).hexdigest()[:12]
    home = ROOT / "build" / f"clients-venv-{sys.version_info[0]}.{sys.version_info[1]}-{digest}"
    if os.path.realpath(sys.prefix) == os.path.realpath(home):
        return
    if not (home / "ready").exists():
        home.parent.mkdir(exist_ok=True)
        with open(str(home) + ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (home / "ready").exists():
                subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
                subprocess.run([home / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check",
                                "--require-hashes", "-r", _LIST], check=True)
                (home / "ready").touch()
    python = home / "bin" / "python"
    os.execv(python, [python, *sys.argv])
