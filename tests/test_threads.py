"""How many threads torch computes with."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import torch

from unisearch.threads import one_thread, side_by_side


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    usual = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(usual)


def test_what_is_small_is_computed_by_one_thread_and_the_number_is_as_before() -> None:
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_the_number_is_as_before_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), one_thread():
        raise ZeroDivisionError
    assert torch.get_num_threads() == 2


def test_two_threads_that_compute_small_things_at_once_both_have_their_number_afterwards() -> None:
    meet = Barrier(2, timeout=60)

    def small(_: int) -> int:
        assert torch.get_num_threads() == 2
        meet.wait()  # both have met torch
        with one_thread():
            meet.wait()  # both are inside
        meet.wait()
        return torch.get_num_threads()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(small, range(2))) == [2, 2]


def test_parts_are_computed_at_the_same_time_each_by_one_thread_and_come_in_order() -> None:
    meet = Barrier(2, timeout=60)

    def work(part: int) -> tuple[int, int]:
        meet.wait()  # nobody passes before there are two
        return part, torch.get_num_threads()

    assert side_by_side(work, range(4)) == [(0, 1), (1, 1), (2, 1), (3, 1)]


def test_an_error_in_one_part_is_told() -> None:
    def work(part: int) -> float:
        return 1 / part

    with pytest.raises(ZeroDivisionError):
        side_by_side(work, (1, 0))
