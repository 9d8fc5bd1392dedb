"""What a run tells: while it goes on, and at its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from unisearch.errors import FailureKind, Unreadable, display
from unisearch.records import Modality

Outcome = Literal["added", "updated", "moved", "unchanged"]


@dataclass(frozen=True)
class Failure:
    """A file that is not searchable, and why. known: as before, it was not tried again."""

    path: bytes
    kind: FailureKind
    message: str
    known: bool = False

    def __str__(self) -> str:
        return f"{display(self.path)}: {self.kind}: {self.message}"

    @classmethod
    def of(cls, path: bytes, error: Unreadable) -> Failure:
        """The failure of the file at `path` that the error tells of."""
        return cls(path, error.kind, error.reason)


@dataclass
class Report:
    """The end of a run: counts of files, and every file that is not searchable.

    by_modality: files that were embedded, or found to be copies; ignored: files of no known kind
    left_out: files and folders that `index.ignore` or a file named .unisearchignore names
    described: files whose words from beside them were taken in anew
    no_preview: contents whose preview could not be made or stored; log level debug says why
    truncated: sounds embedded in this run that are longer than the limit, and where they were cut
    uncovered: of the embedded ones those that no space covers: their words are found, they are not
    spared: what is gone, but was kept as it may only have moved: for a watcher to look at again
    """

    added: int = 0
    updated: int = 0
    moved: int = 0
    removed: int = 0
    unchanged: int = 0
    failed: list[Failure] = field(default_factory=list)
    seconds: float = 0.0
    by_modality: dict[Modality, int] = field(default_factory=dict)
    ignored: int = 0
    truncated: list[tuple[bytes, float]] = field(default_factory=list)  # (path, seconds)
    left_out: int = 0
    described: int = 0
    no_preview: int = 0
    spared: list[bytes] = field(default_factory=list)
    uncovered: dict[Modality, int] = field(default_factory=dict)

    def count_uncovered(self, modality: Modality) -> None:
        """One more file of a kind that no space covers."""
        self.uncovered[modality] = self.uncovered.get(modality, 0) + 1

    def count(self, outcome: Outcome, modality: Modality | None = None) -> None:
        """One more file with that outcome."""
        setattr(self, outcome, getattr(self, outcome) + 1)
        if modality is not None and outcome in ("added", "updated"):
            self.by_modality[modality] = self.by_modality.get(modality, 0) + 1

    def after(self, earlier: Report | None) -> Report:
        """Both as one: another process began the same run and this one went on with it.

        What that one did was found unchanged by this one, and its failures are known ones here.
        """
        if earlier is None:
            return self
        names: list[Outcome] = ["added", "updated", "moved"]
        done = sum(getattr(earlier, name) for name in names)
        told = {failure.path for failure in earlier.failed}
        new = [one for one in self.failed if not (one.known and one.path in told)]
        again = {failure.path for failure in new}
        return Report(
            **{name: getattr(earlier, name) + getattr(self, name) for name in names},
            removed=earlier.removed + self.removed,
            unchanged=max(self.unchanged - done, 0),
            failed=[one for one in earlier.failed if one.path not in again] + new,
            seconds=earlier.seconds + self.seconds,
            by_modality=_summed(earlier.by_modality, self.by_modality),
            ignored=self.ignored,
            truncated=earlier.truncated + self.truncated,
            left_out=self.left_out,
            described=earlier.described + self.described,
            no_preview=earlier.no_preview + self.no_preview,
            spared=earlier.spared + self.spared,
            uncovered=_summed(earlier.uncovered, self.uncovered),
        )


def _summed(one: dict[Modality, int], other: dict[Modality, int]) -> dict[Modality, int]:
    kinds = sorted(one.keys() | other.keys())
    return {kind: one.get(kind, 0) + other.get(kind, 0) for kind in kinds}


@dataclass(frozen=True)
class Progress:
    """Where a run is: files by modality ('other' for unknown kinds); path: the file at hand.

    doing: what goes on after the last file, else empty
    """

    done: dict[str, int]
    total: dict[str, int]
    unchanged: int
    failed: int
    seconds: float
    path: bytes
    doing: str = ""

    @property
    def rate(self) -> float:
        """Files per second since the run began."""
        return sum(self.done.values()) / self.seconds if self.seconds > 0 else 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds that the rest will take at this rate, None before there is one."""
        left = sum(self.total.values()) - sum(self.done.values())
        return left / self.rate if self.rate > 0 else None
