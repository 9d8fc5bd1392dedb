"""Ctrl-C waits for the end of the file at hand, and only for that."""

from __future__ import annotations

import signal

import pytest

from unisearch.cli.stop import Stop


def test_before_the_work_begins_it_stops_at_once() -> None:
    with pytest.raises(KeyboardInterrupt), Stop():
        signal.raise_signal(signal.SIGINT)


def test_during_the_work_it_stops_at_the_next_check() -> None:
    with Stop() as stop:
        stop.check()
        signal.raise_signal(signal.SIGINT)

        with pytest.raises(KeyboardInterrupt):
            stop.check()


def test_the_second_time_it_stops_at_once() -> None:
    with Stop() as stop:
        stop.check()
        signal.raise_signal(signal.SIGINT)

        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_afterwards_ctrl_c_is_what_it_was() -> None:
    before = signal.getsignal(signal.SIGINT)

    with Stop():
        inside = signal.getsignal(signal.SIGINT)

    assert inside != before
    assert signal.getsignal(signal.SIGINT) == before
