from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from unisearch.catalog.open import Catalog
from unisearch.catalog.rows import Counts

Add = Callable[..., int]


def statements(catalog: Catalog, ask: Callable[[Any], Any]) -> int:
    """How many SQL statements a question takes."""
    seen: list[str] = []
    with catalog.view() as view:
        raw = view._connection
        raw.set_trace_callback(seen.append)
        ask(view)
        raw.set_trace_callback(None)
    return sum(not one.startswith("--") for one in seen)  # SQLite tells of triggers that way


def test_hits_are_joined_in_one_statement(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        for number in range(30):
            add(tx, b"%d.txt" % number, texts=["one", "two"])

    with catalog.view() as view:
        view.hits([1])  # reads the folders, which hold until somebody commits

    assert statements(catalog, lambda view: view.hits(range(1, 61))) == 1


def test_an_unchanged_library_is_not_asked_again_what_it_holds(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        add(tx, b"a.txt")
        tx.add_space("toy-1", "toy", 16)
        tx.partition("toy-1", "text")

    first = statements(catalog, lambda view: view.partitions("toy-1"))
    again = statements(catalog, lambda view: view.partitions("toy-1"))
    with catalog.write() as tx:
        tx.commit_rows(tx.partition("toy-1", "text"), 7, [])
    with catalog.view() as view:
        after = view.partitions("toy-1")

    assert first > 0
    assert again == 0
    assert after["text"].count == 7


def test_what_another_process_committed_is_seen(catalog: Catalog, add: Add) -> None:
    with catalog.view() as view:
        before = view.all_partitions()
    other = Catalog.open(catalog.path, write=True)
    with other.write() as tx:
        tx.add_space("toy-1", "toy", 16)
        tx.partition("toy-1", "text")
    other.close()

    with catalog.view() as view:
        assert len(view.all_partitions()) == len(before) + 1


def test_a_hit_tells_everything_that_is_shown(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        item = add(tx, b"notes/a.txt", digest=b"same", texts=["First.", "Second."])
        add(tx, b"b.txt", digest=b"same")
        add(tx, b"c.txt")

    with catalog.view() as view:
        hits = view.hits([2, 777])

    assert list(hits) == [2]
    hit = hits[2]
    assert (hit.segment, hit.item, hit.path) == (2, item, b"/media/notes/a.txt")
    assert (hit.text, hit.copies, hit.start_s) == ("Second.", 1, None)


def test_under_chooses_a_copy_below_that_folder(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        add(tx, b"a/x.txt", digest=b"same")
        below = add(tx, b"b/x.txt", digest=b"same")
        add(tx, b"bb/y.txt")

    with catalog.view() as view:
        assert view.hits([1, 2], under=b"/media/b").keys() == {1}
        assert view.hits([1, 2], under=b"/media/b")[1].item == below
        assert view.hits([1, 2], under=b"/media/b")[1].copies == 1
        assert view.hits([1, 2], under=b"/elsewhere") == {}


def test_items_are_found_by_the_beginning_of_their_contents_digest(
    catalog: Catalog, add: Add
) -> None:
    with catalog.write() as tx:
        first = add(tx, b"a.txt", digest=b"one.txt")
        second = add(tx, b"a.md", digest=b"one.md")
        add(tx, b"b.txt", digest=b"ona.txt")
        add(tx, b"c.txt", digest=b"onf")

    with catalog.view() as view:
        assert [item.id for item in view.items_with_digest(b"one")] == [first, second]
        assert view.items_with_digest(b"two") == []


def test_a_preferred_copy_is_shown_where_it_has_the_segment(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        first = add(tx, b"a/x.txt", digest=b"same", texts=["one", "two"])
        second = add(tx, b"b/x.txt", digest=b"same")
        other = add(tx, b"y.txt")

    with catalog.view() as view:
        hits = view.hits([1, 2, 3], prefer={1: second, 3: second, 99: first})
        below = view.hits([1], under=b"/media/a", prefer={1: second})
    preferring = statements(catalog, lambda view: view.hits([1, 2, 3], prefer={1: second}))

    assert {key: hit.item for key, hit in hits.items()} == {1: second, 2: first, 3: other}
    assert below[1].item == first
    assert preferring == 1


def test_segments_can_be_filtered_by_folder_modality_and_item(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        add(tx, b"a/x.txt", texts=["one", "two"])
        sound = add(tx, b"b/y.wav", modality="audio")
        add(tx, b"a/copy.txt", digest=b"a/x.txt")
        add(tx, b"z.txt", root=b"/other")

    with catalog.view() as view:
        assert view.segments().dtype == np.int64
        assert list(view.segments()) == [1, 2, 3, 4]
        assert list(view.segments(under=b"/media/a")) == [1, 2]
        assert list(view.segments(under=b"/media/a/x.txt")) == [1, 2]
        assert list(view.segments(under=b"/media/")) == [1, 2, 3]
        assert list(view.segments(under=b"/")) == [1, 2, 3, 4]
        assert list(view.segments(modalities=["audio"])) == [3]
        assert list(view.segments(items=[sound], modalities=["text"])) == []
        assert list(view.segments(under=b"/med")) == []


def test_names_may_hold_any_bytes(catalog: Catalog, add: Add) -> None:
    name = b"odd\xff\n'\"%_.txt"
    with catalog.write() as tx:
        item = add(tx, name)

    with catalog.view() as view:
        found = view.item_at(b"/media/" + name)
        assert found is not None
        assert (found.id, found.path) == (item, b"/media/" + name)
        assert found.display == "odd\\xff\\n'\"%_.txt"
        assert view.hits([1])[1].path == b"/media/" + name


def test_an_item_is_found_by_id_and_by_path(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        item = add(tx, b"a/x.TXT", words="title")

    with catalog.view() as view:
        row = view.item(item)
        assert row is not None
        assert row == view.item_at(b"/media/a/x.TXT")
        assert (row.suffix, row.modality, row.facts, row.words) == (
            ".txt",
            "text",
            {"chars": 5.0},
            "title",
        )
        assert view.item(99) is None
        assert view.item_at(b"/media/a") is None


def test_counts_and_duplicates(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        first = add(tx, b"x.txt", digest=b"same", texts=["one", "two"])
        second = add(tx, b"y.txt", digest=b"same")
        add(tx, b"z.wav", modality="audio")

    with catalog.view() as view:
        assert view.counts() == {"text": Counts(2, 1, 2), "audio": Counts(1, 1, 1)}
        assert [[item.id for item in group] for group in view.duplicates()] == [[first, second]]
        assert [(root.path, root.items) for root in view.roots()] == [(b"/media", 3)]


def test_under_leaves_out_names_that_only_begin_like_the_folder(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        inside = [add(tx, name) for name in (b"b/x.txt", b"b/-/y.txt", b"b/\xff.txt")]
        for name in (b"b-x/1.txt", b"b.txt", b"b0.txt", b"b x/2.txt", b"ab/3.txt", b"B/4.txt"):
            add(tx, name)
        other = add(tx, b"b/z.txt", root=b"/other")

    with catalog.view() as view:
        assert [item.id for item in view.items(under=b"/media/b")] == inside
        assert [item.id for item in view.items(under=b"/media/b/x.txt")] == inside[:1]
        assert [item.id for item in view.items(under=b"/other")] == [other]
        assert len(view.items(under=b"/")) == 10
        assert view.items(under=b"/media/b/x.txt/no") == view.items(under=b"/nowhere") == []
