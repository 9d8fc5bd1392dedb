from indexer.blend import blended


def test_kinds_go_side_by_side_each_in_its_own_order() -> None:
    files = ["a.obj", "b.obj", "c.obj", "d.obj", "e.txt", "f.txt"]

    order = blended(files, lambda name: name[-3:])

    assert [name[0] for _, name in order] == list("abecdf")
    assert all(files[place] == name for place, name in order)


def test_one_kind_stays_as_it_is() -> None:
    assert blended("abc", lambda _: "letter") == [(0, "a"), (1, "b"), (2, "c")]
