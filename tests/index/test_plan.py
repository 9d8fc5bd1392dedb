from __future__ import annotations

import pytest

from unisearch.index.plan import Rules, Step, next_step
from unisearch.index.snapshot import Manifest

RULES = Rules(exact_rows=1_000, tail_rows=400)


def snapshot(start: int, stop: int, **also: object) -> Manifest:
    """A snapshot of rows [start, stop)."""
    given = {"base": None if start == 0 else 1, "trained": 2_000, **also}
    return Manifest(generation=1, kind="fast", epoch=0, start=start, stop=stop, keys="", **given)


MAIN = snapshot(0, 2_000)
FOUR_DELTAS = [MAIN, *(snapshot(at, at + 100) for at in range(2_000, 2_400, 100))]


@pytest.mark.parametrize(
    ("count", "chain", "step"),
    [
        (1_000, [], None),
        (1_001, [], Step("train", 0, 1_001)),
        (2_400, [MAIN], None),
        (2_401, [MAIN], Step("delta", 2_000, 2_401)),
        (2_801, FOUR_DELTAS, Step("merge", 0, 2_801)),
        (4_000, [MAIN], Step("train", 0, 4_000)),
    ],
)
def test_what_is_built_next(count: int, chain: list[Manifest], step: Step | None) -> None:
    assert next_step(count, chain, {}, RULES) == step


@pytest.mark.parametrize(
    ("before", "now", "again"),
    [
        (0, 255, False),
        (0, 256, True),
        (200, 256, True),
        (300, 599, False),
        (300, 600, True),
        (600, 300, False),
    ],
)
def test_the_effort_is_measured_again_when_another_modality_became_twice_as_common(
    before: int, now: int, again: bool
) -> None:
    chain = [snapshot(0, 2_000, mix={"audio": before})]

    step = next_step(2_000, chain, {"audio": now}, RULES)

    assert step == (Step("merge", 0, 2_000) if again else None)
