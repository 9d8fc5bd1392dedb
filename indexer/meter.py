"""What the writer of a library did since it began, and where it is: numbers to be shown."""

from __future__ import annotations

import copy
import os
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from indexer.report import Failure, Outcome, Progress
from unisearch.errors import display

#: So many of the newest delays, and of the newest failures, are kept.
DELAYS, FAILURES = 1_000, 20


@dataclass
class Meter:
    """Counts what is committed. Threads may share it: one writes, others look.

    device: that encodes; queues: how much waits, by the name of what waits
    """

    device: str = ""
    queues: dict[str, Callable[[], int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _since: float = field(default_factory=time.time)
    _files: Counter[tuple[str, str]] = field(default_factory=Counter)
    _failed: Counter[str] = field(default_factory=Counter)
    _delays: deque[float] = field(default_factory=lambda: deque(maxlen=DELAYS))
    _failures: deque[tuple[float, Failure]] = field(default_factory=lambda: deque(maxlen=FAILURES))
    _now: Progress | None = None

    def file(self, outcome: Outcome, modality: str | None, changed_at: float | None = None) -> None:
        """A file was committed. changed_at: when it was written, in seconds since 1970"""
        now = time.time()
        with self._lock:
            self._files[outcome, modality or "other"] += 1
            # What lay there before we began waited for us, and says nothing of how quick we are.
            if changed_at is not None and self._since <= changed_at <= now:
                self._delays.append(now - changed_at)

    def removed(self, count: int) -> None:
        """So many files that are gone were dropped."""
        with self._lock:
            self._files["removed", "all"] += count

    def failure(self, failure: Failure) -> None:
        """A file could not be read."""
        with self._lock:
            self._failed[failure.kind] += 1
            self._failures.append((time.time(), failure))

    def at(self, now: Progress | None) -> None:
        """A run is there; None when it has ended."""
        self._now = now

    def for_another(self) -> Meter:
        """For a run that begins: this one, or while another run is shown one that only counts."""
        return self if self._now is None else copy.copy(self)

    def facts(self) -> dict[str, Any]:
        """All of it in plain values, as `status --json` shows it.

        Times are seconds; `delay_s` is from the change of a file to its being searchable.
        """
        with self._lock:
            files: dict[str, dict[str, int]] = {}
            for (outcome, modality), count in sorted(self._files.items()):
                files.setdefault(outcome, {})[modality] = count
            delays = sorted(self._delays)
            run = self._now  # looked at once: the run may end at any moment
            return {
                "process": os.getpid(),
                "since": self._since,
                "device": self.device,
                "files": files,
                "failed": dict(sorted(self._failed.items())),
                "queues": {name: count() for name, count in self.queues.items()},
                "delay_s": {
                    "count": len(delays),
                    "p50": quantile(delays, 0.5),
                    "p99": quantile(delays, 0.99),
                },
                "last_failures": [
                    {"at": at, "path": display(one.path), "kind": one.kind, "message": one.message}
                    for at, one in self._failures
                ],
                "run": None if run is None else run_facts(run),
            }


def run_facts(now: Progress) -> dict[str, Any]:
    """Where a run is, in plain values."""
    return {
        "done": now.done,
        "total": now.total,
        "unchanged": now.unchanged,
        "failed": now.failed,
        "seconds": now.seconds,
        "files_per_s": now.rate,
        "left_s": now.left_s,
        "path": display(now.path),
        "doing": now.doing,
    }


def quantile(ordered: Iterable[float], share: float) -> float | None:
    """The value that this share of ascending values does not exceed; None of none."""
    values = list(ordered)
    return values[min(int(share * len(values)), len(values) - 1)] if values else None
