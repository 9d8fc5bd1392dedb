from indexer.blend import Lanes, blended


def test_kinds_go_side_by_side_each_in_its_own_order() -> None:
    files = ["a.obj", "b.obj", "c.obj", "d.obj", "e.txt", "f.txt"]

    order = blended(files, lambda name: name[-3:])

    assert [name[0] for _, name in order] == list("abecdf")
    assert all(files[place] == name for place, name in order)


def test_one_kind_stays_as_it_is() -> None:
    assert blended("abc", lambda _: "letter") == [(0, "a"), (1, "b"), (2, "c")]


def test_what_is_done_here_waits_until_the_workers_have_enough() -> None:
    lanes = Lanes(["a.txt", "b.obj", "c.txt", "d.obj", "e.txt"], lambda name: name.endswith("t"))

    order = [lanes.next(full) for full in (False, True, False, False, True)]

    assert order == ["b.obj", "a.txt", "d.obj", "c.txt", "e.txt"]
    assert not lanes


def test_the_workers_have_the_rest_when_nothing_is_done_here() -> None:
    assert Lanes(["a.obj"], lambda _: False).next(full=True) == "a.obj"
