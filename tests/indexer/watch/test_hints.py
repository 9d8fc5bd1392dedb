"""When a place counts as quiet. The clock and the looks at files are the test's."""

from __future__ import annotations

import pytest

from indexer.watch.hints import Hint, Hints, Patience, topmost


class World:
    """A clock that is set by hand, files that look as they are told, and hints about both."""

    def __init__(self, **patience: float) -> None:
        self.now = 100.0
        self.looks: dict[bytes, object] = {}
        self.hints = Hints(
            Patience(**patience),  # type: ignore[arg-type]
            lambda: self.now,
            lambda path: self.looks.get(path),
        )

    def tell(self, path: bytes, kind: str = "written", **more: bool) -> None:
        self.hints.add(Hint(path, kind, **more))  # type: ignore[arg-type]

    def after(self, seconds: float) -> list[bytes]:
        """What is quiet so much later."""
        self.now += seconds
        return self.hints.due()


@pytest.fixture
def world() -> World:
    return World()


def test_a_written_file_is_due_300_ms_after_the_last_hint(world: World) -> None:
    world.tell(b"/r/a.txt")
    world.now += 0.2
    world.tell(b"/r/a.txt")

    assert world.after(0.29) == []
    assert world.after(0.02) == [b"/r/a.txt"]
    assert world.after(10) == []
    assert world.hints.next_at() is None


def test_a_file_that_is_written_without_an_end_is_due_after_5_s(world: World) -> None:
    due: list[bytes] = []

    for _ in range(51):
        world.tell(b"/r/log.txt")
        due += world.after(0.1)

    assert due == [b"/r/log.txt"]


def test_a_file_whose_end_does_not_show_is_due_when_two_looks_2_s_apart_are_equal(
    world: World,
) -> None:
    world.looks[b"/r/a.wav"] = 1
    world.tell(b"/r/a.wav", "seen")
    world.now += 1
    world.looks[b"/r/a.wav"] = 2

    assert world.after(1.1) == []
    assert world.after(1.9) == []
    assert world.after(0.2) == [b"/r/a.wav"]


def test_a_closed_file_waits_for_no_second_look(world: World) -> None:
    world.tell(b"/r/a.wav", "seen")
    world.tell(b"/r/a.wav", "written")
    world.tell(b"/r/a.wav", "seen")

    assert world.after(0.31) == [b"/r/a.wav"]


def test_both_ends_of_a_move_are_due_together(world: World) -> None:
    world.tell(b"/r/old", "gone", tree=True, moved=True)
    world.tell(b"/r/new", "arrived", tree=True)
    world.now += 0.2
    world.tell(b"/r/new/more.txt")

    assert world.after(0.2) == []
    assert world.after(0.15) == [b"/r/new", b"/r/old"]


def test_what_is_gone_waits_until_nothing_moves_any_more_but_no_longer_than_30_s(
    world: World,
) -> None:
    world.tell(b"/r/a.txt", "gone")
    due: dict[bytes, float] = {}

    for step in range(320):
        world.tell(b"/r/%d.txt" % step, "arrived")
        due |= dict.fromkeys(world.after(0.1), step * 0.1)

    assert due[b"/r/0.txt"] < 1
    assert 29 < due[b"/r/a.txt"] < 31


def test_deletions_do_not_wait_for_files_that_are_being_written(world: World) -> None:
    world.tell(b"/r/gone.txt", "gone")

    for _ in range(4):
        world.tell(b"/r/busy.txt")
        due = world.after(0.1)

    assert due == [b"/r/gone.txt"]


def test_a_file_that_is_replaced_is_one_place(world: World) -> None:
    world.tell(b"/r/a.txt", "gone")
    world.tell(b"/r/a.txt", "arrived")

    assert world.after(0.31) == [b"/r/a.txt"]


def test_a_tree_stands_for_everything_below_it(world: World) -> None:
    for name in (b"a", b"b", b"c"):
        world.tell(b"/r/tree/%b.txt" % name, "gone")
    world.tell(b"/r/treetop.txt")
    world.tell(b"/r/tree", "gone", tree=True)
    world.tell(b"/r/tree/late.txt", "gone")

    assert len(world.hints) == 2
    assert world.after(0.31) == [b"/r/tree", b"/r/treetop.txt"]


def test_a_storm_in_one_folder_becomes_one_look_at_it() -> None:
    world = World(in_folder=100)

    for number in range(100_000):
        world.tell(b"/r/storm/%d.txt" % number)
    world.tell(b"/r/calm.txt")

    assert len(world.hints) == 2
    assert world.after(5.1) == [b"/r/calm.txt", b"/r/storm"]
    assert len(world.hints._below) == len(world.hints._in_folder) == 0


def test_a_storm_everywhere_becomes_one_look_at_the_root() -> None:
    world = World(places=100)
    world.hints.roots = (b"/r", b"/other")

    for number in range(1_000):
        world.tell(b"/r/%d/file.txt" % number)
    world.tell(b"/other/calm.txt")

    assert len(world.hints) == 2
    assert world.after(5.1) == [b"/other/calm.txt", b"/r"]


def test_files_that_were_written_need_not_wait_for_what_moves(world: World) -> None:
    for number in range(3):
        world.tell(b"/r/new%d.txt" % number)
    world.tell(b"/r/here.txt", "arrived")
    world.tell(b"/r/away.txt", "gone")
    world.tell(b"/r/folder", tree=True)
    assert world.hints.fresh(9) == []

    world.now += 0.4

    assert world.hints.fresh(2) == [b"/r/new0.txt", b"/r/new1.txt"]
    assert world.hints.fresh(2) == [b"/r/new2.txt"]
    assert world.after(0.1) == [b"/r/away.txt", b"/r/folder", b"/r/here.txt"]


def test_the_next_moment_worth_a_look_is_known(world: World) -> None:
    world.looks[b"/r/b"] = 1
    world.tell(b"/r/b", "seen")
    assert world.hints.next_at() == pytest.approx(102.0)
    world.tell(b"/r/a")

    assert world.hints.next_at() == pytest.approx(100.3)


@pytest.mark.parametrize(
    ("paths", "top"),
    [
        ([b"/a/b", b"/a", b"/a-c", b"/a/b/c"], [b"/a-c", b"/a"]),
        ([b"/a", b"/a"], [b"/a"]),
        ([b"/", b"/x/y"], [b"/"]),
        ([], []),
    ],
)
def test_places_below_others_are_left_out(paths: list[bytes], top: list[bytes]) -> None:
    assert sorted(topmost(paths)) == sorted(top)
