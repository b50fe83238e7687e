"""The pinned npm clients of tests/e2e/js, installed on first use."""
import fcntl
import shutil
import subprocess

from .suite import ROOT, Skip

FOLDER = ROOT / "tests" / "e2e" / "js"


def install():
    if not shutil.which("node") or not shutil.which("npm"):
        raise Skip("node or npm is not installed")
    (ROOT / "build").mkdir(exist_ok=True)
    with open(ROOT / "build" / "e2e-npm.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = FOLDER / "node_modules" / ".installed"
        pinned = (FOLDER / "package-lock.json").read_text()
        if not stamp.exists() or stamp.read_text() != pinned:
            subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=FOLDER, check=True)
            stamp.write_text(pinned)
    return FOLDER


def node(script, *arguments, limit=300, **more):
    return subprocess.run(["node", str(install() / script), *arguments], timeout=limit, **more)
