"""Hits show themselves in a notebook, local and remote alike, and run nothing."""

from __future__ import annotations

import base64
import copy
import pickle
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.remote.conftest import HOSTILE
from unisearch.engine import hits as hits_module
from unisearch.engine.engine import Engine
from unisearch.engine.hits import Hits
from unisearch.records import Hit
from unisearch.remote.engine import RemoteEngine


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def sources(self, tag: str) -> list[str]:
        return [attrs["src"] or "" for name, attrs in self.found if name == tag]


@pytest.fixture(params=["local", "remote"])
def engine(request: pytest.FixtureRequest) -> Engine | RemoteEngine:
    found: Engine | RemoteEngine = request.getfixturevalue(request.param)
    return found


def test_names_and_passages_are_text_and_nothing_else(engine: Engine | RemoteEngine) -> None:
    page = Elements(engine.search("lighthouse", k=10)._repr_html_())

    tags = {tag for tag, _ in page.found}
    assert tags <= {"div", "figure", "figcaption", "b", "br", "blockquote", "img", "audio", "p"}
    assert not [name for _, attrs in page.found for name in attrs if name.startswith("on")]
    assert HOSTILE in page.text
    assert "<img src=x onerror=alert(2)>" in page.text
    assert all(src.startswith("data:") for tag in ("img", "audio") for src in page.sources(tag))


def test_pictures_and_players_are_inside(engine: Engine | RemoteEngine, media: Path) -> None:
    page = Elements(engine.search("waves", into=["image", "audio"], each=True)._repr_html_())

    pictures = [base64.b64decode(src.partition(",")[2]) for src in page.sources("img")]
    assert pictures
    assert all(picture[8:12] == b"WEBP" for picture in pictures)
    [sound] = page.sources("audio")
    assert sound.startswith("data:audio/")
    content = base64.b64decode(sound.partition(",")[2])
    assert content == (media / "sounds" / "waves.wav").read_bytes()


def test_a_sound_that_is_large_is_left_out(
    engine: Engine | RemoteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hits_module, "MOST_SOUND_BYTES", 1_000)

    page = Elements(engine.search("waves", into="audio")._repr_html_())

    assert not page.sources("audio")
    assert "waves.wav" in page.text


def test_hits_are_a_list_and_so_are_parts_of_them(engine: Engine | RemoteEngine) -> None:
    hits = engine.search("lighthouse", k=3)

    assert isinstance(hits, list)
    assert list(hits) == hits
    assert "<figure" in hits[:1]._repr_html_()
    assert hits[:1][0] == hits[0]
    for same in (copy.copy(hits), pickle.loads(pickle.dumps(hits))):
        assert same == hits
        assert not Elements(same._repr_html_()).sources("img")


def test_the_library_may_be_gone_by_then(remote: RemoteEngine) -> None:
    hits = remote.search("lighthouse", k=2)
    remote.close()

    page = Elements(hits._repr_html_())

    assert len([tag for tag, _ in page.found if tag == "figure"]) == 2
    assert not page.sources("img")


def test_no_hits_say_so_and_many_are_cut(local: Engine) -> None:
    [hit, *_] = local.search("lighthouse", k=1)
    many = Hits([replace(hit, rank=n) for n in range(1, 61)])

    assert "nothing found" in Hits()._repr_html_()
    page = many._repr_html_()
    assert len(re.findall("<figure", page)) == hits_module.MOST_SHOWN
    assert "and 10 more" in page


def test_a_name_that_is_no_utf_8_is_shown(local: Engine) -> None:
    [hit, *_] = local.search("lighthouse", k=1)
    odd: Hit = replace(hit, path=b"/a/\xff<b>.png", weak=True)

    page = Elements(Hits([odd])._repr_html_())

    assert "\\xff<b>.png" in page.text
    assert "weak" in page.text
