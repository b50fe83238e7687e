"""Starts that must be refused."""
import pathlib
import tempfile
import time

from .server import run_parley
from .suite import equal, expect, short
from .tokens import SECRET


def refused(toml, *words, extra=(), env=None, within=8, secrets=(), secret=SECRET):
    """The start with this configuration ends with one line that holds the words and none of `secrets`, and exit status 2."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "parley.toml"
        file.write_text(toml, encoding="utf-8")
        began = time.monotonic()
        ran = run_parley("serve", "--config", str(file), "--listen", "127.0.0.1:0", "--data-dir", folder + "/data",
                         *(("--set", f"auth.secret={secret}") if secret else ()), *extra, env=env)
    equal(ran.returncode, 2, f"exit status after {short(ran.stderr)}")
    equal(len(ran.stderr.splitlines()), 1, f"lines of {short(ran.stderr)}")
    for word in words:
        expect(word in ran.stderr, f"{word!r} is not in {short(ran.stderr)}")
    for text in secrets:
        expect(text not in ran.stderr, f"a password in {short(ran.stderr)}")
    expect(time.monotonic() - began < within, "it took its time")
