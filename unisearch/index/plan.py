"""When a partition gets a snapshot: a pure decision from what there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from unisearch.index.snapshot import Manifest


@dataclass(frozen=True)
class Rules:
    """exact_rows: no snapshot up to here; tail_rows: rows without one at most

    recall: wanted share of the true 10 best; deltas: snapshots beside the main one at most
    growth: the lists are learnt anew when the rows have grown by this factor
    tuning_queries: queries of each modality that the effort is measured with, and how many
        stored vectors of a modality make it worth measuring
    """

    exact_rows: int = 50_000
    tail_rows: int = 10_000
    recall: float = 0.95
    deltas: int = 4
    growth: float = 2.0
    tuning_queries: int = 256


@dataclass(frozen=True)
class Step:
    """What to build next: rows [start, stop) go into a snapshot.

    train: lists and codes learnt anew over all rows; delta: the tail, with the known lists;
    merge: main snapshot, deltas and tail become one, and its effort is measured again
    """

    kind: Literal["train", "delta", "merge"]
    start: int
    stop: int


def next_step(
    count: int, chain: Sequence[Manifest], mix: Mapping[str, int], rules: Rules
) -> Step | None:
    """The next thing to build for a partition of `count` rows, or None.

    chain: its valid snapshots, main first; mix: stored vectors of each other modality
    """
    if count <= rules.exact_rows:
        return None
    if not chain or count >= rules.growth * chain[0].trained:
        return Step("train", 0, count)
    tail = count - chain[-1].stop
    if _mix_changed(chain[0].mix, mix, rules):
        return Step("merge", 0, count)
    if tail <= rules.tail_rows:
        return None
    if len(chain) > rules.deltas:
        return Step("merge", 0, count)
    return Step("delta", chain[-1].stop, count)


def _mix_changed(before: Mapping[str, int], now: Mapping[str, int], rules: Rules) -> bool:
    """Whether a modality became common enough to measure with, or so much more common."""
    return any(
        number >= max(rules.tuning_queries, rules.growth * known)
        or number >= rules.tuning_queries > known
        for modality, number in now.items()
        for known in [before.get(modality, 0)]
    )
