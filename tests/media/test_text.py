"""Texts: encodings, marks, passages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unisearch.errors import Unreadable
from unisearch.media import formats
from unisearch.media.formats import read_as
from unisearch.media.passages import count_words, passages, sentences
from unisearch.media.read import read
from unisearch.media.text import PARAGRAPHS
from unisearch.records import PASSAGE_SENTENCES, PASSAGE_WORDS, ReadOptions


def texts(path: Path, content: str | bytes) -> list[str]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [part.text for part in read(path).parts]


def words(count: int, end: str = ".") -> str:
    return " ".join(f"w{number}" for number in range(count)) + end


def test_passages_of_three_sentences_overlap_by_one() -> None:
    text = "One ant. Two bees. Three cats. Four dogs. Five eels."

    found = list(passages([text]))

    assert found == ["One ant. Two bees. Three cats.", "Three cats. Four dogs. Five eels."]


def test_a_single_short_text_is_one_passage() -> None:
    assert list(passages(["a dog barks"])) == ["a dog barks"]


def test_a_passage_takes_no_more_sentences_than_fit() -> None:
    long, short = words(30), "Two words."

    found = list(passages([long, short, long]))

    assert found == [f"{long} {short}", f"{short} {long}"]


def test_no_overlap_where_it_would_leave_no_room_for_anything_new() -> None:
    first, second = words(30), words(31)

    assert list(passages([first, second])) == [first, second]


@pytest.mark.parametrize("count", [41, 80, 81, 500])
def test_a_sentence_of_any_length_loses_no_word(count: int) -> None:
    found = list(passages([words(count)]))

    assert " ".join(found) == words(count)
    assert all(count_words(passage) <= PASSAGE_WORDS for passage in found)
    assert all(count_words(passage) > PASSAGE_WORDS / 3 for passage in found)


def test_every_sentence_of_a_long_text_is_in_some_passage() -> None:
    text = [f"{words(number % 60 + 1)} Also number {number}." for number in range(200)]

    found = list(passages(text))

    joined = "\n".join(found)
    assert all(sentence in joined for sentence in sentences(text))
    assert all(count_words(passage) <= PASSAGE_WORDS for passage in found)
    assert all(len(list(sentences([passage]))) <= PASSAGE_SENTENCES + 1 for passage in found)


def test_sentences_end_at_their_marks_and_not_at_abbreviations() -> None:
    text = "He came, i.e. he ran. “Stop!” she said? No… Yes. 3.5 is a number."

    assert list(sentences([text])) == [
        "He came, i.e. he ran.",
        "“Stop!” she said?",
        "No…",
        "Yes.",
        "3.5 is a number.",
    ]


def test_scripts_without_blanks_are_cut_as_well() -> None:
    found = list(passages(["猫" * 100 + "。犬が走る。"]))

    assert "".join(found).count("猫") == 100
    assert "犬が走る。" in "".join(found)
    assert all(count_words(passage) <= PASSAGE_WORDS for passage in found)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_unicode_is_read_in_every_form(encoding: str, tmp_path: Path) -> None:
    text = "Der Fuchs läuft über die Straße."
    marks = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}

    found = texts(tmp_path / "a.txt", marks.get(encoding, b"") + text.encode(encoding))

    assert found == [text]


def test_older_encodings_are_detected(tmp_path: Path) -> None:
    german = "Der Fuchs läuft über die Straße, während es schön ist. Größe zählt für Bäume. " * 5
    russian = "Съешь же ещё этих мягких французских булок, да выпей чаю. " * 8

    assert "läuft über die Straße" in texts(tmp_path / "a.txt", german.encode("cp1252"))[0]
    assert "французских" in texts(tmp_path / "b.txt", russian.encode("cp1251"))[0]


def test_wrapped_lines_are_joined_and_lists_are_not(tmp_path: Path) -> None:
    wrapped = "A long line that was wrapped at\nsome width goes on here and then\nit ends."
    captions = "a dog barks\na cat meows loudly at night\nrain"

    [prose] = texts(tmp_path / "a.txt", wrapped)
    rows = list(sentences(_paragraphs(captions)))

    assert prose == wrapped.replace("\n", " ")
    assert rows == captions.split("\n")


def _paragraphs(text: str) -> list[str]:
    from unisearch.media.markup import plain

    return list(plain(text))


def test_markdown_loses_its_marks(tmp_path: Path) -> None:
    text = "# The *fox*\n\nIt **jumps** over a [dog](http://x.y/z).\n\n- one `item`\n\n| a | b |\n"

    found = texts(tmp_path / "a.md", text + "|---|---|\n")

    assert found == ["The fox It jumps over a dog. one item", "one item a, b"]


def test_html_shows_what_a_reader_sees(tmp_path: Path) -> None:
    page = (
        "<html><head><title>Foxes</title><style>p{color:red}</style></head><body>"
        "<script>var secret = '<p>code</p>';</script><h1>A <b>red</b> fox</h1>"
        "<p>It jumps &amp; runs.</p><img src=x alt='a lazy dog'></body></html>"
    )

    found = " ".join(texts(tmp_path / "a.html", page))

    assert found == "Foxes A red fox It jumps & runs. It jumps & runs. a lazy dog"


MEGABYTE = 2**20


@pytest.mark.parametrize(
    ("name", "piece"),
    [
        *(("a.md", piece) for piece in ("[", "[a](", "[a][", "![", "<!--", "<a ", "[a](x (", "* ")),
        *(("a.html", piece) for piece in ("<a ", "<!--", "<![", "<?", "<b>", "<script ", '<p a="')),
        *(("a.srt", piece) for piece in ("<", "{", "1:", "\n")),
    ],
)
def test_marks_that_never_close_are_read_in_one_pass(name: str, piece: str, tmp_path: Path) -> None:
    # Looking for each one's end up to the end of the file would take hours here.
    start = "1\n00:00:01,000 --> 00:00:02,000\n" if name == "a.srt" else ""
    filler = piece * (2 * MEGABYTE // len(piece))

    found = texts(tmp_path / name, f"{start}A fox runs.\n{filler}")

    assert found[0].startswith("A fox runs.")


def test_a_line_of_blanks_and_dashes_is_read_in_one_pass(tmp_path: Path) -> None:
    found = texts(tmp_path / "a.md", f"A fox runs.\n\n{' ' * MEGABYTE}x{'- ' * (MEGABYTE // 4)}y")

    assert found[0].startswith("A fox runs.")


def test_links_lose_their_addresses_whatever_stands_in_them(tmp_path: Path) -> None:
    text = (
        "A [fox](http://x.y/Fox_(animal)) and [![a dog](d.png)](http://x.y) and [cats][1]"
        " <!-- no --> and <!-- nor -->owls [x] <!-- end."
    )

    [found] = texts(tmp_path / "a.md", text)

    assert found == "A fox and a dog and cats and owls [x] <!-- end."


def test_a_page_written_as_xml_closes_its_scripts_itself(tmp_path: Path) -> None:
    page = (
        '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html>'
        '<html xmlns="http://www.w3.org/1999/xhtml"><head><script src="a.js"/><title>Füchse</title>'
        "</head><body>A <b>red</b> fox<br/>runs.<!-- not --><style/>"
        "<p>It <i>jumps</i>.</p></body></html>"
    )

    assert texts(tmp_path / "a.xhtml", page) == ["Füchse A red fox runs.", "runs. It jumps."]


def test_json_gives_its_strings_in_order(tmp_path: Path) -> None:
    document = {"title": "Fox.", "tags": ["Red.", {"deep": "Fast."}], "count": 3}

    assert texts(tmp_path / "a.json", json.dumps(document)) == ["Fox. Red. Fast."]
    assert texts(tmp_path / "a.jsonl", '{"a": "Fox."}\n{"a": "Dog."}\n') == ["Fox. Dog."]


@pytest.mark.parametrize("content", ['{"a": ', "not json at all", "[" * 100_000])
def test_broken_json_is_refused(content: str, tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as caught:
        texts(tmp_path / "a.json", content)

    assert caught.value.kind == "corrupt"


@pytest.mark.parametrize("broken", ['{"a": "Cut', "[" * 100_000, "NaN nonsense"])
def test_a_broken_line_costs_that_line_only(
    broken: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = f'{{"a": "Fox."}}\n{broken}\n{{"a": "Dog\u2028s."}}\r\n'

    assert texts(tmp_path / "a.jsonl", content) == ["Fox. Dog s."]
    assert texts(tmp_path / "a.ndjson", content) == ["Fox. Dog s."]
    assert caplog.messages[0] == f"{tmp_path / 'a.jsonl'}: 1 of 3 lines are no JSON: left out"


def test_one_document_over_many_lines_is_read_under_the_name_of_lines(tmp_path: Path) -> None:
    assert texts(tmp_path / "a.jsonl", '{\n "a":\n "Fox."\n}') == ["Fox."]


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_numbers_alone_are_valid_but_no_text(name: str, tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="no words") as caught:
        texts(tmp_path / name, '[1, 2.5, {"only": null}]')

    assert caught.value.kind == "unsupported"


def test_lines_of_which_none_is_json_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as caught:
        texts(tmp_path / "a.jsonl", "a fox\na dog\n")

    assert caught.value.kind == "corrupt"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_of_a_table_end_as_any_system_writes_them(end: str, tmp_path: Path) -> None:
    found = texts(tmp_path / "a.csv", end.join(["name;says", 'fox;"ring; ring"', ""]))

    assert found == ["name, says fox, ring; ring"]


def test_a_cell_may_be_as_long_as_the_text(tmp_path: Path) -> None:
    found = texts(tmp_path / "a.csv", f'name,says\nfox,"{"ring " * 40_000}end"\n')

    assert found[-1].endswith("ring end")


def test_subtitles_lose_numbers_times_and_tags(tmp_path: Path) -> None:
    srt = (
        "1\n00:00:01,000 --> 00:00:02,000\n<i>The fox\n\n2\n00:00:02,000 --> 00:00:03,000\nruns.\n"
    )
    vtt = (
        "WEBVTT\n\nNOTE secret\n\nintro\n00:01.000 --> 00:02.000 align:left\n<v Ann>The fox runs.\n"
    )

    assert texts(tmp_path / "a.srt", srt) == ["The fox runs."]
    assert texts(tmp_path / "a.vtt", vtt) == ["The fox runs."]


def test_rows_of_a_table_are_passages(tmp_path: Path) -> None:
    found = texts(tmp_path / "a.csv", 'name;says\nfox;"ring; ring"\n')

    assert found == ["name, says fox, ring; ring"]


def test_a_passage_is_the_text_of_its_sample(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("One. Two. Three. Four.")

    reading = read(tmp_path / "a.txt")

    assert [part.text for part in reading.parts] == [part.sample.text for part in reading.parts]  # type: ignore[union-attr]
    assert reading.facts == {"chars": 22}


def test_binary_content_under_a_texts_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="binary") as caught:
        texts(tmp_path / "a.txt", bytes(range(256)) * 20)

    assert caught.value.kind == "corrupt"


@pytest.mark.parametrize("content", [" \n\t ", "\ufeff", "--- *** ---", "<p></p>"])
def test_a_text_without_words_is_refused(content: str, tmp_path: Path) -> None:
    name = "a.html" if content.startswith("<") else "a.txt"

    with pytest.raises(Unreadable, match="no words"):
        texts(tmp_path / name, content)


def test_a_text_over_the_limit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(words(100))

    with pytest.raises(Unreadable) as caught:
        read(tmp_path / "a.txt", ReadOptions(max_text_bytes=50))

    assert caught.value.kind == "too_large"


def test_a_pdf_without_text_and_a_damaged_one_are_refused(tmp_path: Path) -> None:
    from pypdfium2 import PdfDocument

    empty = PdfDocument.new()
    empty.new_page(100, 100)
    empty.save(tmp_path / "scan.pdf")
    (tmp_path / "bad.pdf").write_bytes(b"%PDF-1.4\nnothing follows")

    for name in ("scan.pdf", "bad.pdf"):
        with pytest.raises(Unreadable) as caught:
            read(tmp_path / name)
        assert caught.value.kind == "corrupt"


@pytest.mark.parametrize("suffix", formats.TEXTS)
def test_texts_are_read_alike_exactly_when_one_function_reads_them(suffix: str) -> None:
    alike = {other for other in formats.TEXTS if read_as(other) == read_as(suffix)}
    reader = PARAGRAPHS.get(suffix)

    assert alike == {
        other
        for other in formats.TEXTS
        if PARAGRAPHS.get(other) == reader and (other == ".pdf") == (suffix == ".pdf")
    }
