from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from unisearch.catalog.open import Catalog
from unisearch.catalog.rows import Span, Stat
from unisearch.records import Block

Add = Callable[..., int]
NOW = Stat(9, 1, 10, 20, 30)


def test_a_content_dies_with_its_last_item(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        first = add(tx, b"x.txt", digest=b"same", texts=["one", "two"])
        second = add(tx, b"y.txt", digest=b"same")

    with catalog.write() as tx:
        tx.remove_items([first])
        assert tx.collect() == {}
    with catalog.write() as tx:
        assert tx.remove_items([second, 999]) == 1
        died = tx.collect()

    assert {modality: list(ids) for modality, ids in died.items()} == {"text": [1, 2]}
    with catalog.view() as view:
        assert view.counts() == {}
        assert list(view.segments()) == []


def test_segment_and_item_ids_are_never_used_again(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        item = add(tx, b"x.txt", texts=["one", "two"])
        tx.remove_items([item])
        tx.collect()

    with catalog.write() as tx:
        again = add(tx, b"x.txt", texts=["one"])

    assert again > item
    with catalog.view() as view:
        assert list(view.segments()) == [3]


def test_a_transaction_that_forgets_orphans_is_undone(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        item = add(tx, b"x.txt")

    with pytest.raises(RuntimeError, match="collect"), catalog.write() as tx:
        tx.remove_items([item])

    with catalog.view() as view:
        assert view.item(item) is not None


def test_an_item_keeps_its_id_and_tags_through_edit_and_move(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        item = add(tx, b"x.txt", digest=b"old")
        tx.tag(item, add=["mine", "blue"])

    with catalog.write() as tx:
        assert add(tx, b"x.txt", digest=b"new") == item
        tx.move_item(item, 1, b"sub/y.txt", NOW)

    with catalog.view() as view:
        row = view.item_at(b"/media/sub/y.txt")
        assert row is not None
        assert (row.id, row.stat) == (item, NOW)
        assert view.tags(item) == ["blue", "mine"]
        assert view.counts()["text"].contents == 1


def test_a_failure_is_noted_and_cleared_by_success(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        root = tx.add_root(b"/media")
        tx.fail(root, b"x.txt", NOW, "corrupt", "damaged")
        tx.fail(root, b"x.txt", NOW, "crash", "worse\ud800")

    with catalog.view() as view:
        [failure] = view.failures()
        assert (failure.path, failure.kind, failure.message) == (b"/media/x.txt", "crash", "worse?")
        assert failure.stat == NOW
        assert view.failures(under=b"/media/sub") == []
    with catalog.write() as tx:
        add(tx, b"x.txt")
    with catalog.view() as view:
        assert view.failures() == []


def test_a_known_item_that_breaks_keeps_its_id_and_tags(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        item = add(tx, b"x.txt")
        tx.tag(item, add=["mine"])

    with catalog.write() as tx:
        tx.fail(1, b"x.txt", NOW, "corrupt", "damaged")
        died = tx.collect()

    assert list(died["text"]) == [1]
    with catalog.view() as view:
        row = view.item(item)
        assert row is not None
        assert (row.content, row.modality) == (None, None)
        assert view.tags(item) == ["mine"]
        assert len(view.failures()) == 1


def test_a_root_for_single_files_holds_only_these(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        inner = add(tx, b"in/x.txt", root=b"/media/pics")
        tx.add_root(b"/media", whole=False)
        single = tx.put_item(tx.add_root(b"/media", whole=False), b"note.txt", NOW, None)
        tx.add_root(b"/empty", whole=False)
        tx.drop_empty_roots()

    with catalog.view() as view:
        outer, pics = view.roots()
        assert (outer.path, outer.whole, outer.items) == (b"/media", False, 1)
        assert (pics.path, pics.whole, pics.items) == (b"/media/pics", True, 1)
        assert outer.holds(b"/media/new.txt")
        assert not outer.holds(b"/media/pics/new.txt")
        assert pics.holds(b"/media/pics/new.txt")
        assert view.known_files(b"/media").keys() == {b"/media/note.txt", b"/media/pics/in/x.txt"}
        assert view.known_files(b"/media/pics/in").keys() == {b"/media/pics/in/x.txt"}

    with catalog.write() as tx:
        assert tx.add_root(b"/media") == outer.id

    with catalog.view() as view:
        assert [(root.path, root.whole, root.items) for root in view.roots()] == [
            (b"/media", True, 2)
        ]
        assert [item.id for item in view.items(b"/media")] == sorted([inner, single])


def test_an_outer_root_takes_over_the_inner_one(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        item = add(tx, b"x.txt", root=b"/media/inner")
        tx.fail(1, b"bad.txt", NOW, "corrupt", "damaged")
        other = add(tx, b"y.txt", root=b"/media2")

    with catalog.write() as tx:
        tx.add_root(b"/media")

    with catalog.view() as view:
        assert [root.path for root in view.roots()] == [b"/media", b"/media2"]
        assert view.item(item) == view.item_at(b"/media/inner/x.txt")
        assert view.item(other) == view.item_at(b"/media2/y.txt")
        assert view.failures()[0].path == b"/media/inner/bad.txt"


def test_a_root_moves_and_goes_with_all_that_is_below(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        item = add(tx, b"x.txt")
        tx.fail(1, b"bad.txt", NOW, "corrupt", "damaged")
        tx.move_root(1, b"/mnt/media")

    with catalog.view() as view:
        assert view.item(item) == view.item_at(b"/mnt/media/x.txt")
    with catalog.write() as tx:
        assert tx.remove_root(1) == 1
        tx.collect()
    with catalog.view() as view:
        assert (view.roots(), view.failures(), view.items()) == ([], [], [])


def test_rows_become_visible_with_their_checksums(catalog: Catalog) -> None:
    with catalog.write() as tx:
        tx.add_space("toy-1", "toy", 64)
        tx.add_space("toy-1", "toy", 64)
        partition = tx.partition("toy-1", "image")
        assert tx.tail_block(partition) is None
        tx.commit_rows(partition, 4_098, [Block(0, 4_096, b"a"), Block(1, 2, b"b")])
        tx.commit_rows(partition, 4_099, [Block(1, 3, b"c")])

    with catalog.view() as view:
        state = view.partitions("toy-1")["image"]
        assert (state.epoch, state.count, list(state.dead)) == (0, 4_099, [])
        assert view.blocks("toy-1", "image") == [Block(0, 4_096, b"a"), Block(1, 3, b"c")]
        assert [(space.id, space.dim) for space in view.spaces()] == [("toy-1", 64)]
        assert view.partitions("other") == {}


def test_dead_rows_are_seen_by_the_next_view(catalog: Catalog) -> None:
    with catalog.write() as tx:
        tx.add_space("toy-1", "toy", 64)
        partition = tx.partition("toy-1", "image")
        tx.commit_rows(partition, 10, [])
    seen = []
    for rows in ([7, 3], [3, 5], []):
        with catalog.write() as tx:
            tx.bury(partition, np.array(rows, np.int64))
        with catalog.view() as view:
            seen.append(list(view.partitions("toy-1")["image"].dead))

    assert seen == [[3, 7], [3, 5, 7], [3, 5, 7]]


def test_tags_say_whether_they_changed_anything(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        item = add(tx, b"x.txt")

        assert tx.tag(item, add=["blue"]) is True
        assert tx.tag(item, add=["blue"], remove=["red"]) is False
        assert tx.tag(item, remove=["blue"]) is True


def test_a_tag_is_the_same_in_either_case_and_keeps_its_first_spelling(
    catalog: Catalog, add: Add
) -> None:
    with catalog.write() as tx:
        item = add(tx, b"x.txt")

        assert tx.tag(item, add=["Loud", "loud", "E\u0301te\u0301"]) is True
        assert tx.tag(item, add=["LOUD", "\u00e9t\u00e9"]) is False
        assert tx.tags(item) == ["E\u0301te\u0301", "Loud"]
        assert tx.tag(item, add=["sea"], remove=["loud", "\u00c9T\u00c9"]) is True
        assert tx.tags(item) == ["sea"]


def test_labels_die_with_their_content(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        content = tx.put_content(
            b"digest", 100, "image", {"taken_s": 5.0}, labels={"artist": ["Ada", "Ada", "\ud800"]}
        )
        tx.put_segments(content, [Span(None, None, "")])
        item = tx.put_item(tx.add_root(b"/media"), b"a.jpg", NOW, content)
        tx.collect()
    with catalog.view() as view:
        assert view.labels(content) == {"artist": ["?", "Ada"]}
        row = view.item(item)
        assert row is not None
        assert row.facts == {"taken_s": 5.0}

    with catalog.write() as tx:
        tx.remove_items([item])
        tx.collect()

    with catalog.view() as view:
        assert view.labels(content) == {}
        assert view.problems() == []


def test_words_from_beside_a_file_are_its_own_until_they_go(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        item = add(tx, b"a.jpg", modality="image", words="inside")
        tx.put_sidecar(item, b"key", "a barn owl", ["night", "bird"])
    with catalog.view() as view:
        for word in ("owl", "night", "inside"):
            assert [match.item for match in view.match_words(word, 5)] == [item]
        assert [(row.item, row.key) for row in view.described()] == [(item, b"key")]
        assert view.tags(item) == []  # nobody put them there by hand
        assert view.problems() == []

    with catalog.write() as tx:
        tx.put_sidecar(item, b"other", "a cow", [])
        tx.put_sidecar(item + 1, b"other", "of nobody", [])
    with catalog.view() as view:
        assert view.match_words("owl", 5) == view.match_words("night", 5) == []
        assert [match.item for match in view.match_words("cow", 5)] == [item]

    with catalog.write() as tx:
        tx.drop_sidecar(item)
    with catalog.view() as view:
        assert view.match_words("cow", 5) == []
        assert view.problems() == []


def test_an_item_takes_the_place_of_another_which_is_set_aside(catalog: Catalog, add: Add) -> None:
    """As two files that swapped their names do, one after the other."""
    with catalog.write() as tx:
        first, second = add(tx, b"a.txt"), add(tx, b"b.txt")
        root = tx.add_root(b"/media")
        tx.move_item(first, root, b"b.txt", NOW)
        aside = tx.item(second)
        assert aside is not None
        assert aside.path == b"/media/b.txt/%d" % second  # where no file can be
        tx.move_item(second, root, b"a.txt", NOW)

    with catalog.view() as view:
        paths = {name: known.item for name, known in view.known_files().items()}
        assert paths == {b"/media/b.txt": first, b"/media/a.txt": second}
        assert view.problems() == []
