"""The three standard streams, also where the caller has closed one (`>&-`).

The command imports this early, so it imports nothing that the interpreter has not loaded anyway.
"""

from __future__ import annotations

import io
import os
import sys

#: What stands in for a closed stream. Like a closed one, stdin cannot be read and stdout cannot
#: be written; what is said on stderr goes nowhere.
_STAND_INS = {0: os.O_WRONLY, 1: os.O_RDONLY, 2: os.O_WRONLY}


def prepare() -> None:
    """Every stream is there, and a sign that a terminal lacks becomes its number.

    Where one is closed, the next file that is opened would get its number, and what any library
    prints would go into that file.
    """
    for number, flags in _STAND_INS.items():
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, flags), True)
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def mute_stdout() -> None:
    """Sends what is left in the buffers nowhere, because nobody takes it any more (`| head`)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
