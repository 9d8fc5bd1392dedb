"""Runs code as a user whom mode bits bind, also where the tests run as the superuser."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

_VERSION = 0x20080522  # _LINUX_CAPABILITY_VERSION_3
_SET_SECUREBITS, _NOROOT = 28, 1  # <linux/prctl.h>, <linux/securebits.h>


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


def drop_privileges() -> None:
    """From now on this process may read what the mode of a file allows its owner, and no more; nor
    may the programs that it starts.

    It stays the same user, so that its own folders and packages are still in reach.
    """
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        none = (ctypes.c_uint32 * 6)()
        # Without this a program that the superuser starts has all privileges again.
        if libc.prctl(_SET_SECUREBITS, _NOROOT, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
        if libc.capset(ctypes.byref(_Header(_VERSION, 0)), ctypes.byref(none)) != 0:
            raise OSError(ctypes.get_errno(), "capset")


def unisearch(*arguments: str | Path, **settings: str | Path) -> subprocess.CompletedProcess[str]:
    """`unisearch ARGUMENTS` without privileges. settings: UNISEARCH_* or HOME, in lower case."""
    given = {_variable(name): str(value) for name, value in settings.items()}
    return subprocess.run(
        [sys.executable, "-m", "tests.unprivileged", *arguments],
        cwd=Path(__file__).parents[1],
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def _variable(name: str) -> str:
    return name.upper() if name in ("home", "xdg_config_home") else f"UNISEARCH_{name.upper()}"


if __name__ == "__main__":
    drop_privileges()
    from unisearch.cli import main

    sys.exit(main.run(sys.argv[1:]))
