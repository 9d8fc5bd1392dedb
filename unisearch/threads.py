"""How many threads torch computes with: waking them can take longer than what they do."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

Part = TypeVar("Part")
Found = TypeVar("Found")


def rest_idle_threads() -> None:
    """Threads of OpenMP (torch, FAISS) sleep while they wait for each other. Call before torch.

    By default they spin, and beside other busy processes a spinning thread holds the core that
    its sister needs: indexing was 4 times slower (docs/benchmarks.md). The user's setting holds.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@cache
def network_threads() -> int:
    """How many threads the networks of this process may compute with: as they had at first."""
    import torch

    return torch.get_num_threads()


def use_network_threads(count: int) -> None:
    """Have them compute with so many, as far as this thread asks for it."""
    import torch

    torch.set_num_threads(count)


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch computes in this thread by itself, on a CPU: for what is small.

    A sleeping thread is woken for each layer: with two, the starter space takes 6.7 ms for a
    sentence and 46 ms for 64 of them, by itself 1.5 and 15 ms (docs/benchmarks.md).
    Other threads keep their number. One that meets torch for the first time just now begins with
    this one's, and keeps it: it computes the same, large networks more slowly.
    """
    import torch

    usual = torch.get_num_threads()
    if usual == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(usual)


def side_by_side(work: Callable[[Part], Found], parts: Sequence[Part]) -> list[Found]:
    """What `work` computes of each part with torch on a CPU, in order.

    As many parts at a time as torch has threads, each by one thread: they never wait for each
    other as the threads of one part do.
    """
    import torch

    def alone(part: Part) -> Found:
        with one_thread():
            return work(part)

    threads = min(torch.get_num_threads(), len(parts))
    if threads <= 1:
        return list(map(alone, parts))
    with ThreadPoolExecutor(threads, "torch") as pool:
        return list(pool.map(alone, parts))
