"""Many questions at a time: one pass of the network for their words, one of each index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from unisearch.engine.lanes import Lane
from unisearch.engine.terms import Asked
from unisearch.index.reader import Nearest
from unisearch.records import Modality

#: Rows of one pass of an index: an exact one holds a score for each of them and each vector.
MOST_ROWS = 64


def look_ahead(
    questions: Sequence[Asked],
    lanes: Sequence[Mapping[Modality, Sequence[Lane]]],
    reaches: Sequence[int],
) -> None:
    """Have the lanes know the nearest keys of the terms that several of them look for.

    Together go terms of one modality, as deep, into one partition, without a filter: what comes
    back is what each would have found alone.
    """
    groups: dict[tuple[int, Modality, int], list[tuple[Asked, Lane, int]]] = defaultdict(list)
    for asked, ways, reach in zip(questions, lanes, reaches, strict=True):
        for modality, into in ways.items():
            k = reach + len(asked.own.get(modality, ()))
            for lane in into:
                if lane.among is None:
                    for term in lane.attracting(asked):
                        key = id(lane.reader), asked.modalities[term], lane.depth(k)
                        groups[key].append((asked, lane, term))
    for (_, asking, depth), group in groups.items():
        for start in range(0, len(group), MOST_ROWS):
            _look(group[start : start + MOST_ROWS], asking, depth)


def _look(group: Sequence[tuple[Asked, Lane, int]], asking: Modality, depth: int) -> None:
    if len(group) == 1:
        return
    rows = np.stack([asked.vectors[lane.space.id][term] for asked, lane, term in group])
    found = group[0][1].reader.search(rows, depth, None, asking)
    for row, (_, lane, term) in enumerate(group):
        one = slice(row, row + 1)
        lane.ahead[term, depth] = Nearest(found.keys[one], found.scores[one])
