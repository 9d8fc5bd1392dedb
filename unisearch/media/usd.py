"""USD models, each read in a process of its own, for pxr ends its process on some damaged files."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from unisearch.errors import Unreadable
from unisearch.media.files import read_bytes
from unisearch.media.parts import Scene
from unisearch.media.scene import check_zip
from unisearch.records import ReadOptions

#: A file of a few lines may ask for a stage that never ends, a large one needs its time.
TIMEOUT_S = 60.0
SECONDS_PER_MB = 1.0

_CHILD = "from unisearch.media.usd_stage import answer; answer()"


def load_usd(path: Path, options: ReadOptions) -> Scene:
    """As usd_stage.read_stage, whose errors it raises.

    Raises Unreadable, too: of kind 'unsupported' without the package, so that one such file
    stops no run; 'timeout'; and 'corrupt' when the process died of the file.
    """
    if find_spec("pxr") is None:
        reason = "USD models need extra packages: pip install 'unisearch[usd]'"
        raise Unreadable(path, "unsupported", reason)
    if path.suffix.lower() == ".usdz":
        check_zip(path, read_bytes(path, options.max_file_bytes), options.max_file_bytes)
    done = _asked(path, options)
    if done.returncode:
        raise _ended(path, done)
    found = pickle.loads(done.stdout)  # of our own child, which runs our own code
    if isinstance(found, Exception):
        raise found
    scene: Scene = found
    return scene


def _ended(path: Path, done: subprocess.CompletedProcess[bytes]) -> Unreadable:
    if done.returncode == -signal.SIGKILL:  # what Linux does when memory runs out
        return Unreadable(path, "memory", "the system ended its reader, as it does for memory")
    if done.returncode == 1:  # an error of Python, which answer() would have told: its imports
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or [""]
        return Unreadable(path, "unsupported", f"usd-core does not work here: {lines[-1][:200]}")
    return Unreadable(path, "corrupt", "damaged: the library that reads USD crashed on it")


def _asked(path: Path, options: ReadOptions) -> subprocess.CompletedProcess[bytes]:
    """The child after it ended. It finds what we find, and leaves no report of a crash behind."""
    found = os.pathsep.join(place for place in sys.path if place)
    limit_s = TIMEOUT_S + SECONDS_PER_MB * path.stat().st_size / 1e6
    with tempfile.TemporaryDirectory() as folder:
        try:
            return subprocess.run(
                [sys.executable, "-P", "-c", _CHILD],
                input=pickle.dumps((str(path), options)),
                capture_output=True,
                env=os.environ | {"PYTHONPATH": found, "TMPDIR": folder},
                timeout=limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            reason = f"reading it took more than {limit_s:.0f} s"
            raise Unreadable(path, "timeout", reason) from None
