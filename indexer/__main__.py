"""`python -m indexer PATH…` is `unisearch watch PATH…`."""

from __future__ import annotations

import sys

from unisearch.registry import Entry, load

#: The command is named as a string: the writer does not know the doors.
DOOR = {"watch": Entry("unisearch.__main__:main")}

if __name__ == "__main__":
    sys.argv[1:1] = ["watch"]
    load("door", DOOR, "watch")()
