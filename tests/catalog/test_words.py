from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unisearch.catalog.open import Catalog
from unisearch.catalog.rows import SegmentRow
from unisearch.catalog.view import View
from unisearch.catalog.words import match_query, name_words

Add = Callable[..., int]

WEIRD = ['"', '""', "*", "AND", "NOT x", "a NEAR/3 b", "name:dog", "(dog", "dog)", "-dog", "^dog"]
WEIRD += ["{a b} : c", "dog*", "'", "\0", "\ud800", "\\", ";--", "%", "col:*", "🐕", "", "  "]


def _rows(view: View) -> dict[int, SegmentRow]:
    """The first segment of each item."""
    rows = view.hits(view.segments().tolist())
    return {row.item: row for row in sorted(rows.values(), key=lambda row: -row.segment)}


def test_a_name_leads_to_the_first_segment_of_its_content(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        add(tx, b"talk/BigDog_02.wav", texts=["", "", ""], modality="audio")
        add(tx, b"cat.wav", modality="audio")

    with catalog.view() as view:
        found = view.match_words("the dogs", 10)

        assert [(match.segment, match.item) for match in found] == [(1, 1)]
        assert found[0].rank == 1
        assert view.match_words("big dog 2", 10) == []
        assert view.match_words("big dog 02", 10) != []
        assert view.match_words("talk", 10) == []


def test_each_way_to_a_match_says_whose_words_they_are(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        titled = add(tx, b"1.wav", words="Recorded in Lisbon", modality="audio")
        tagged = add(tx, b"2.wav", modality="audio")
        tx.tag(tagged, add=["harbour"])
        add(tx, b"3.txt", texts=["Nothing here.", "Gulls above the water."])

    with catalog.view() as view:
        found = {
            word: [(match.segment, match.item) for match in view.match_words(word, 5)]
            for word in ("lisbon", "harbour", "gull")
        }

    assert found == {"lisbon": [(1, titled)], "harbour": [(2, tagged)], "gull": [(4, None)]}


def test_the_limit_counts_only_what_passes_the_filters(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        for number in range(5):
            add(tx, b"a/dog%d.png" % number, modality="image")
            add(tx, b"a/note%d.txt" % number, texts=["A dog."])
        sound = add(tx, b"b/the big dog barks at us.wav", modality="audio")
        note = add(tx, b"b/note.txt", texts=["Many words, and one of these is dog, at the end."])

    with catalog.view() as view:
        first = {row.segment: item for item, row in _rows(view).items()}
        found = {
            "audio": view.match_words("dog", 2, modalities=["audio"]),
            "below": view.match_words("dog", 2, under=b"/media/b"),
            "both": view.match_words("dog", 2, modalities=["text"], under=b"/media/b"),
            "none": view.match_words("dog", 2, modalities=["3d"]),
        }

    items = {name: [first[match.segment] for match in some] for name, some in found.items()}
    assert items == {"audio": [sound], "below": [sound, note], "both": [note], "none": []}


def test_copies_of_one_content_take_one_place(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        for number in range(5):
            add(tx, b"dog %d.wav" % number, digest=b"same", modality="audio")
        add(tx, b"a dog that has a longer name.wav", modality="audio")

    with catalog.view() as view:
        assert [match.segment for match in view.match_words("dog", 2)] == [1, 2]


def test_the_item_is_the_copy_whose_name_fits(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        add(tx, b"IMG_1.png", digest=b"same", modality="image")
        named = add(tx, b"owl.png", digest=b"same", modality="image")
        add(tx, b"an owl in the wood.png", digest=b"same", modality="image")

    with catalog.view() as view:
        [match] = view.match_words("owl", 5)

    assert match.item == named


def test_the_best_name_and_the_best_passage_rank_alike(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        add(tx, b"owl.wav", modality="audio")
        add(tx, b"sounds of an owl and of other birds.wav", modality="audio")
        add(tx, b"1.txt", texts=["Owl.", "The owl sat in the tree for the whole of the night."])

    with catalog.view() as view:
        ranks = {match.segment: match.rank for match in view.match_words("owl", 9)}

    assert ranks[1] == ranks[3] == 1
    assert 0 < ranks[2] < 1
    assert 0 < ranks[4] < 1


def test_a_name_that_fits_comes_before_a_title_that_fits(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        for number in range(20):
            add(tx, b"other%d.wav" % number, modality="audio")
        by_title = add(tx, b"x.wav", words="train", modality="audio")
        by_name = add(tx, b"train.wav", modality="audio")

    with catalog.view() as view:
        found = [match.segment for match in view.match_words("train", 5)]

    assert found == [by_name, by_title]


def test_what_is_gone_or_changed_is_not_found_any_more(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        gone = add(tx, b"gone.txt", texts=["a lighthouse"])
        moved = add(tx, b"before.txt")
        tx.tag(moved, add=["sea"])

    with catalog.write() as tx:
        tx.remove_items([gone])
        tx.collect()
        tx.move_item(moved, 1, b"after.txt", tx.item(moved).stat)  # type: ignore[union-attr]
        tx.tag(moved, remove=["sea"])

    with catalog.view() as view:
        for word in ("gone", "lighthouse", "before", "sea"):
            assert view.match_words(word, 5) == []
        assert len(view.match_words("after", 5)) == 1


def test_accents_and_case_do_not_matter(catalog: Catalog, add: Add) -> None:
    with catalog.write() as tx:
        add(tx, "CAFÉ noir.wav".encode())

    with catalog.view() as view:
        assert len(view.match_words("cafe\u0301", 5)) == 1
        assert len(view.match_words("Noir", 5)) == 1


@pytest.mark.parametrize("query", WEIRD)
def test_nothing_that_is_typed_is_read_as_syntax(catalog: Catalog, query: str) -> None:
    with catalog.view() as view:
        assert view.match_words(query, 5) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(query=st.text(st.characters(codec=None), max_size=60) | st.text('"*()^:-+ANDORdog '))
def test_no_text_at_all_is_an_error(catalog: Catalog, query: str) -> None:
    with catalog.view() as view:
        assert view.match_words(query, 3) == []


def test_common_words_are_dropped_unless_there_are_no_others() -> None:
    assert match_query("The sound of a dog in the rain") == '"sound" "dog" "rain"'
    assert match_query("to the") == '"to" "the"'
    assert match_query("?!") == ""
    assert len(match_query(" ".join(map(str, range(5_000)))).split()) == 32


def test_a_name_is_split_where_words_meet() -> None:
    assert name_words(b"a/b/redCar-12_x7.tar.GLB") == "redCar-12_x7.tar red Car 12 x 7 tar"
    assert name_words(b"\xff\xfe.wav") == "\ufffd\ufffd"
