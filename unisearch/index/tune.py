"""How far to look: the cheapest effort that finds the wanted share of the true neighbours.

A query of another modality lies far from all lists: it needs 8 to 16 times the probes of a
query of the same modality. So the effort is chosen for each query modality on its own,
against exact search.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unisearch.index.ivfpq import UNTUNED, IvfPq
from unisearch.index.table import Backend, Effort

K = 10
CANDIDATES = (80, 120, 160, 240, 320, 480, 640, 960, 1_280, 2_560)
#: A query of an unmeasured modality gets this many times the probes of the same modality.
UNMEASURED = 16
#: Comparing a candidate exactly costs as much as scanning so many codes (measured).
_CANDIDATE_COST = 18


@dataclass(frozen=True, eq=False)
class Trial:
    """Queries with their true neighbours.

    queries: float32 (q, dim), unit rows; true: rows (q, 10)
    stored: the queries are rows of the index; their first neighbour, themselves, is not counted
    """

    queries: NDArray[np.float32]
    true: NDArray[np.int64]
    stored: bool

    @classmethod
    def of(cls, queries: NDArray[np.float32], exact: Backend, stored: bool = False) -> Trial:
        """The trial of these queries against exact search of the same rows."""
        return cls(queries, exact.search(queries, K + stored).rows[:, int(stored) :], stored)

    def recall(self, index: IvfPq, effort: Effort) -> tuple[float, float]:
        """(share of the true rows that the index finds, its standard error)."""
        found = index.search(self.queries, K + self.stored, effort=effort).rows
        hits = (self.true[:, :, None] == found[:, None, :]) & (self.true[:, :, None] >= 0)
        shares = hits.any(axis=2).sum(axis=1) / np.maximum((self.true >= 0).sum(axis=1), 1)
        return float(shares.mean()), float(shares.std() / np.sqrt(len(shares)))


def tune(
    index: IvfPq,
    exact: Backend,
    queries: Mapping[str, NDArray[np.float32]],
    own: str,
    own_rows: NDArray[np.float32],
    target: float,
) -> dict[str, Effort]:
    """The effort for queries of each modality.

    exact: the same rows, searched exactly
    queries: float32 (q, dim), unit rows, by modality
    own, own_rows: the modality of the index and some of its rows. Rows alone would flatter it:
        lists and codes were learnt from them, so unseen queries count too where there are any.
    target: wanted recall of the 10 best, in (0, 1]
    """
    trials = {modality: [Trial.of(some, exact)] for modality, some in queries.items() if len(some)}
    if len(own_rows):
        trials.setdefault(own, []).append(Trial.of(own_rows, exact, stored=True))
    return {modality: _cheapest(index, some, target) for modality, some in trials.items()}


def effort_for(efforts: Mapping[str, Effort], asking: str, own: str) -> Effort:
    """The effort for a query of that modality; without a measurement a generous one."""
    known = efforts.get(asking)
    if known is not None:
        return known
    same = efforts.get(own, UNTUNED)
    return Effort(same.nprobe * UNMEASURED, max(same.candidates, UNTUNED.candidates))


def deeper(effort: Effort, k: int) -> Effort:
    """The effort for k results, of which callers show half: more lie in more lists (measured)."""
    if k <= 2 * K:
        return effort
    more = k / (2 * K)
    candidates = round(effort.candidates * more**0.75) + k
    return Effort(round(effort.nprobe * more), candidates)


def with_filter(effort: Effort, share: float, nlist: int) -> Effort:
    """The effort when only this share of the rows passes a filter: survivors lie further apart.

    Up to an eighth of the lists in proportion; whoever looks through more has enough (measured).
    """
    nprobe = max(effort.nprobe, min(int(effort.nprobe / share) + 1, nlist // 8))
    return Effort(nprobe, effort.candidates)


def _cheapest(index: IvfPq, trials: Sequence[Trial], target: float) -> Effort:
    """The cheapest effort that reaches the target in every trial; else the furthest there is."""
    best: tuple[float, Effort] | None = None
    furthest = Effort(index.nlist, CANDIDATES[-1], 0.0)
    for candidates in CANDIDATES:
        for nprobe in _steps(index.nlist):
            effort = Effort(nprobe, candidates)
            cost = nprobe * len(index) / index.nlist + _CANDIDATE_COST * candidates
            if best is not None and cost >= best[0]:
                break
            measured = [trial.recall(index, effort) for trial in trials]
            recall = min(share for share, _ in measured)
            furthest = Effort(index.nlist, candidates, recall)
            # A standard error above it: other queries reach the target too in 5 of 6 cases.
            if min(share - error for share, error in measured) >= target:
                best = cost, Effort(nprobe, candidates, round(recall, 4))
                break
    return furthest if best is None else best[1]


def _steps(nlist: int) -> list[int]:
    """1, 2, 3, 4, 6, 8, 11, 16 ... √2 times as many each, and all lists."""
    steps = {round(2 ** (power / 2)) for power in range(2 * nlist.bit_length())}
    return [*sorted(step for step in steps if step < nlist), nlist]
