"""What was chosen on the page becomes the question that is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from unisearch.api.page.cards import marked
from unisearch.api.page.question import Filters, Part, Question
from unisearch.api.schemas import MOST_TERMS
from unisearch.api.session import COOKIE, is_session, new_session
from unisearch.catalog.where_sql import condition
from unisearch.errors import UsageError


def test_the_filters_of_the_page_are_one_that_the_library_understands() -> None:
    chosen = Filters(ext="wav", age="7d", length="duration>=5 and duration<30")

    where = chosen.where()

    assert where == 'ext = "wav" and age < 7d and (duration>=5 and duration<30)'
    condition(where, 0)
    assert Filters().where() is None


def test_files_are_told_by_their_places_among_the_files() -> None:
    question = Question()
    question.set_words("a dog")
    for part in (Part("file", "a", Path("a")), Part("item", "b", 7), Part("file", "c", Path("c"))):
        question.add(part)

    terms = question.asked().terms

    assert [(term.text, term.item, term.file) for term in terms] == [
        ("a dog", None, None), (None, None, 0), (None, 7, None), (None, None, 1)
    ]  # fmt: skip
    assert question.files() == [Path("a"), Path("c")]


def test_an_item_that_is_asked_with_twice_has_its_last_weight() -> None:
    question = Question()

    question.add(Part("item", "dog.png", 7))
    question.add(Part("item", "dog.png", 7, -1.0))

    assert [(part.value, part.weight) for part in question.parts] == [(7, -1.0)]


def test_more_terms_than_a_question_has_are_refused() -> None:
    question = Question(parts=[Part("item", "one", number) for number in range(MOST_TERMS)])

    with pytest.raises(UsageError, match="at most"):
        question.add(Part("item", "one more", MOST_TERMS))


def test_a_passage_is_text_whatever_it_holds() -> None:
    assert marked("<script>dog</script> & Dogs", "a dog") == (
        "&lt;script&gt;<mark>dog</mark>&lt;/script&gt; &amp; Dogs"
    )


def test_a_session_holds_for_its_token_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    session = f"{COOKIE}={new_session('a' * 64)}"

    assert is_session(session, "a" * 64)
    assert not is_session(session, "b" * 64)
    assert not is_session(session.replace(f"{COOKIE}=1", f"{COOKIE}=2"), "a" * 64)
    monkeypatch.setattr("time.time", lambda: 9e9)
    assert not is_session(session, "a" * 64)
