"""How long what is gone is kept, while it may turn up elsewhere."""

from __future__ import annotations

from indexer.watch.missing import MOST_S, Missing


def test_what_is_gone_stays_while_anything_moves_but_not_for_ever() -> None:
    now = [0.0]
    missing = Missing(lambda: now[0])

    assert missing.spared([b"/a", b"/b"], moving=True) == [b"/a", b"/b"]
    now[0] = MOST_S - 1
    assert missing.spared([b"/a", b"/c"], moving=True) == [b"/a", b"/c"]
    now[0] = MOST_S + 1
    assert missing.spared([b"/a", b"/c"], moving=True) == [b"/c"]
    assert missing.spared([b"/c"], moving=False) == []


def test_a_file_that_came_back_may_be_missed_anew() -> None:
    now = [0.0]
    missing = Missing(lambda: now[0])
    missing.spared([b"/a"], moving=True)
    now[0] = 2 * MOST_S

    assert missing.spared([b"/a"], moving=True) == [b"/a"]
