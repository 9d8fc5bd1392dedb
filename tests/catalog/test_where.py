from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unisearch.catalog.open import Catalog
from unisearch.catalog.rows import Span, Stat
from unisearch.catalog.where import MAX_DEPTH, MAX_TESTS, parse, show
from unisearch.catalog.where_fields import FIELDS, span
from unisearch.catalog.where_sql import condition, to_sql
from unisearch.catalog.where_tree import (
    And,
    Node,
    Not,
    OneOf,
    Or,
    Other,
    Test,
    both,
    either,
    negate,
)
from unisearch.catalog.words import name_words
from unisearch.errors import UsageError
from unisearch.records import LABELS, Modality

NOW_NS = 1_717_243_200 * 10**9  # 2024-06-01, noon UTC
DAY_NS = 86_400 * 10**9

WORDS = ("dog", "cat", "rain", "Été", "loud", "b-c")
SUFFIXES = (".wav", ".FLAC", ".jpg", "")


@dataclass(frozen=True)
class File:
    """What the catalogue is told of a file; files of one content differ in path, time and tags."""

    content: int
    path: str
    mtime_ns: int
    tags: tuple[str, ...]
    modality: Modality
    size: int
    facts: dict[str, float] = field(default_factory=dict)
    words: str = ""
    passages: tuple[str, ...] = ("",)
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    beside: tuple[str, ...] = ()  # tags that a file beside it gives


def make_files(chance: random.Random, contents: int) -> list[File]:
    """Files of every kind, some of them copies of each other."""
    files = []
    for content in range(contents):
        modality: Modality = chance.choice(("text", "image", "audio", "3d"))
        names = {"image": ("width", "height"), "audio": ("duration_s", "rate_hz", "channels"),
                 "3d": ("vertices", "faces"), "text": ("chars",)}[modality]  # fmt: skip
        facts = {
            name: chance.choice((1, 2.5, 5, 44_100)) for name in names if chance.random() < 0.8
        }
        passages = [" ".join(chance.choices(WORDS, k=3)) for _ in range(chance.randint(1, 3))]
        if modality == "image" and chance.random() < 0.7:
            facts["taken_s"] = (NOW_NS - chance.randint(0, 60) * DAY_NS) / 1e9
        labels = {
            name: tuple(sorted(set(chance.choices(WORDS, k=chance.randint(1, 2)))))
            for name in LABELS
            if chance.random() < 0.3
        }
        size = chance.choice((5, 2_500, 44_100, 10_000_000)) + content
        words = chance.choice(("", "loud rain"))
        for copy in range(chance.choice((1, 1, 2))):
            folder = chance.choice(("", "rain/", "a/b/"))
            name = " ".join(chance.choices(WORDS, k=chance.randint(1, 2)))
            if chance.random() < 0.3:
                name = unicodedata.normalize("NFD", name.upper())
            files.append(
                File(
                    content, f"{folder}{name}{content}{copy}{chance.choice(SUFFIXES)}",
                    NOW_NS - chance.randint(0, 60) * DAY_NS,
                    tuple(sorted(set(chance.choices(WORDS, k=chance.randint(0, 2))))),
                    modality, size, facts, words,
                    tuple(passages) if modality == "text" else ("",) * len(passages), labels,
                    tuple(sorted(set(chance.choices(WORDS, k=chance.choice((0, 0, 2)))))),
                )
            )  # fmt: skip
    return files


class Stored:
    """A catalogue and what was put into it: files by item, segments by content."""

    def __init__(
        self, catalog: Catalog, files: dict[int, File], segments: dict[int, list[int]]
    ) -> None:
        self.catalog = catalog
        self.files = files
        self.segments = segments


def store(catalog: Catalog, files: Sequence[File]) -> Stored:
    stored: dict[int, File] = {}
    contents: dict[int, int] = {}
    segments: dict[int, list[int]] = {}
    with catalog.write() as tx:
        root = tx.add_root(b"/media")
        for number, file in enumerate(files):
            if file.content not in contents:
                digest = b"%d" % file.content
                content = tx.put_content(
                    digest, file.size, file.modality, file.facts, file.words, labels=file.labels
                )
                spans = [Span(None, None, text) for text in file.passages]
                contents[file.content] = content
                segments[file.content] = tx.put_segments(content, spans).tolist()
            stat = Stat(number, 1, file.size, file.mtime_ns, 1)
            item = tx.put_item(root, file.path.encode(), stat, contents[file.content])
            tx.tag(item, add=file.tags)
            if file.beside:
                tx.put_sidecar(item, b"key", "", file.beside)
            stored[item] = file
        tx.collect()
    return Stored(catalog, stored, segments)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    catalog = Catalog.create(tmp_path_factory.mktemp("where") / "catalog.db")
    yield store(catalog, make_files(random.Random(7), 120))
    catalog.close()


# the same question asked of plain Python


def fits(text: str, pattern: str) -> bool:
    """Whether the whole text fits the pattern, whatever the case and the way of its accents."""
    parts = [{"*": ".*", "?": "."}.get(char, re.escape(char)) for char in nfc(pattern)]
    return re.fullmatch("".join(parts), nfc(text), re.DOTALL | re.IGNORECASE) is not None


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def holds_phrase(text: str, phrase: str) -> bool:
    """Whether the words of the phrase stand next to each other in the text."""
    there, wanted = (re.findall(r"[^\W_]+", nfc(some).lower()) for some in (text, phrase))
    return any(there[at : at + len(wanted)] == wanted for at in range(len(there)))


def value_of(file: File, name: str) -> Any:
    name = {"duration": "duration_s", "rate": "rate_hz"}.get(name, name)
    known = {"size": file.size, "modified": file.mtime_ns, "kind": file.modality}
    return known.get(name, file.facts.get(name))


def compare(operator: str, left: Any, right: Any) -> bool:
    if left is None or right is None:
        return False
    return bool({"=": left == right, "!=": left != right, "<": left < right, "<=": left <= right,
                 ">": left > right, ">=": left >= right}[operator])  # fmt: skip


def passes(node: Node, file: File) -> bool:
    match node:
        case And(parts):
            return all(passes(part, file) for part in parts)
        case Or(parts):
            return any(passes(part, file) for part in parts)
        case Not(part):
            return not passes(part, file)
        case OneOf(name, values):
            operator = ":" if name == "text" else "="
            return any(passes(Test(name, operator, value), file) for value in values)
        case Test(name, operator, Other(other)):
            return compare(operator, value_of(file, name), value_of(file, other))
        case Test("age", operator, int() | float() as value):
            return compare(operator, NOW_NS - file.mtime_ns, value * 10**9)
        case Test("modified", operator, str() as value):
            start, end = span(value)
            if operator in ("=", "!="):
                return (start <= file.mtime_ns < end) == (operator == "=")
            return compare(operator, file.mtime_ns, start if operator in ("<", ">=") else end - 1)
        case Test("taken", operator, str() as value):
            if "taken_s" not in file.facts:
                return False
            start, end = span(value, UTC)
            at_ns = round(file.facts["taken_s"] * 1e9)
            if operator in ("=", "!="):
                return (start <= at_ns < end) == (operator == "=")
            return compare(operator, at_ns, start if operator in ("<", ">=") else end - 1)
        case Test("text", _, str() as value):
            names = name_words(file.path.encode())
            texts = (names, " ".join(file.tags + file.beside), file.words, *file.passages)
            return any(holds_phrase(text, value) for text in texts)
        case Test("tag", _, str() as value):
            tags = (*file.tags, *file.beside, *file.labels.get("keyword", ()))
            return any(fits(tag, value) for tag in tags)
        case Test(
            "artist" | "album" | "genre" | "title" | "camera" as name, operator, str() as value
        ):
            if operator == ":" and not set("*?") & set(value):
                value = f"*{value}*"
            return any(fits(label, value) for label in file.labels.get(name, ()))
        case Test("name" | "path" | "ext" as name, operator, str() as value):
            path, base = file.path, file.path.rpartition("/")[2]
            suffix = re.sub(r"^[^.]*", "", base)
            if name == "ext" and value:
                value = f".{value}"
            if operator == ":" and not set("*?") & set(value):
                value = f"*{value}*"
            found = fits({"name": base, "path": path, "ext": suffix}[name], value)
            return found == (operator != "!=")
        case Test(name, operator, value):
            return compare(operator, value_of(file, name), value)
    raise AssertionError(node)


# trees of any shape


def asking(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Node]:
    operators = st.sampled_from(FIELDS[name].kind.operators)
    several = st.lists(values, min_size=1, max_size=3).map(tuple)
    return st.builds(Test, st.just(name), operators, values) | st.builds(
        OneOf, st.just(name), several
    ).filter(lambda one: name != "age")


numbers = st.sampled_from((0, 1, 2.5, 5, 5.25, 44_100, 44_150)) | st.builds(
    lambda whole, tenths: whole + tenths / 10, st.integers(0, 2**40), st.integers(0, 9)
)
dates = st.sampled_from(
    ("2024", "2024-05", "2024-04-20", "2024-05-20T12:00", "2024-05-20T12:00:00Z", "2025", "1999-12")
)
patterns = st.sampled_from(
    (*WORDS, "*", "?*", "*a*n*", "ÉTÉ*", "e\u0301te\u0301", "DOG*", "[a-z]*", "r_in", "%", "a/b",
     "rain/*", "*0.wav", "wav", "x'y", "\\", '"')
)  # fmt: skip
phrases = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
leaves: st.SearchStrategy[Node] = st.one_of(
    *[asking(name, numbers) for name in
      ("size", "duration", "width", "height", "vertices", "faces", "channels", "rate", "chars")],
    asking("age", st.integers(0, 60).map(lambda days: days * 86_400)),
    asking("modified", dates), asking("taken", dates),
    *[asking(name, patterns) for name in ("artist", "album", "genre", "title", "camera")],
    asking("kind", st.sampled_from(("text", "image", "audio", "3d"))),
    asking("ext", st.sampled_from(("wav", "FLAC", "jpg", "", "*", "?lac", "w[a]v"))),
    asking("name", patterns), asking("path", patterns), asking("tag", patterns),
    asking("text", phrases),
    st.builds(Test, st.just("width"), st.sampled_from(("<", "=", "!=")), st.just(Other("height"))),
)  # fmt: skip
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(both),
        st.lists(inner, min_size=2, max_size=3).map(either),
        inner.map(negate),
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=300)
@given(tree=trees)
def test_a_tree_as_text_is_the_same_tree_again(tree: Node) -> None:
    assert parse(show(tree)) == tree


@settings(deadline=None)
@given(
    value=st.text(
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20
    )
)
def test_any_text_can_be_quoted(value: str) -> None:
    tree = Test("tag", "=", value)

    assert parse(show(tree)) == tree


@settings(deadline=None, max_examples=300)
@given(tree=trees)
def test_sql_and_plain_python_find_the_same(many: Stored, tree: Node) -> None:
    passing = [item for item, file in many.files.items() if passes(tree, file)]
    first: dict[int, int] = {}
    for item in passing:
        for segment in many.segments[many.files[item].content]:
            first.setdefault(segment, item)

    with many.catalog.view() as view:
        where = to_sql(tree, NOW_NS)
        everything = view.segments().tolist()
        found = view.segments(where=where)
        hits = view.hits(everything, where=where)

    assert found.tolist() == sorted(first)
    assert {segment: hit.item for segment, hit in hits.items()} == first


@settings(deadline=None, max_examples=60)
@given(tree=trees)
def test_words_are_counted_only_in_files_that_pass(many: Stored, tree: Node) -> None:
    with many.catalog.view() as view:
        where = to_sql(tree, NOW_NS)
        allowed = set(view.segments(where=where).tolist())
        found = view.match_words("rain", 500, where=where)
        names = {match.segment: match.item for match in view.match_words("rain", 500)}

    assert {match.segment for match in found} <= allowed & names.keys()
    for match in found:
        assert match.item is None or passes(tree, many.files[match.item])


def test_every_file_passes_a_filter_or_its_opposite(many: Stored) -> None:
    with many.catalog.view() as view:
        short = view.segments(where=condition("duration<5", NOW_NS)).tolist()
        rest = view.segments(where=condition("not duration<5", NOW_NS)).tolist()
        long = view.segments(where=condition("duration>=5", NOW_NS)).tolist()

        assert short
        assert long
        assert sorted(short + rest) == view.segments().tolist()
        assert set(long) < set(rest)


# one thing at a time


def found(catalog: Catalog, *files: File) -> Any:
    """A function that tells which paths pass a filter."""
    stored = store(catalog, files)

    def ask(text: str) -> list[str]:
        with catalog.view() as view:
            where = condition(text, NOW_NS)
            hits = view.hits(view.segments(where=where).tolist(), where=where)
        return sorted({stored.files[hit.item].path for hit in hits.values()})

    return ask


def sound(
    path: str, seconds: float = 1, size: int = 100, mtime_ns: int = NOW_NS, **more: Any
) -> File:
    return File(
        hash(path),
        path,
        mtime_ns,
        more.pop("tags", ()),
        "audio",
        size,
        {"duration_s": seconds},
        **more,
    )


def test_units(catalog: Catalog) -> None:
    ask = found(
        catalog, sound("a.wav", 0.5, 1_000), sound("b.wav", 90, 1_500), sound("c.wav", 5_400, 2**20)
    )

    assert ask("size=1KB") == ask("size=1kb") == ask("size=1000B") == ask("size:1000") == ["a.wav"]
    assert ask("size>=1.5KB and size<1MiB") == ["b.wav"]
    assert ask("size=1MiB") == ask('size="1 MiB"') == ["c.wav"]
    assert ask("size>1GB") == ask("size>8TB") == []
    assert ask("duration=500ms") == ["a.wav"]
    assert ask("duration=1.5min") == ask("duration=90s") == ask("duration in (90, 7)") == ["b.wav"]
    assert ask("duration>=1.5h") == ["c.wav"]


def test_a_date_is_the_whole_time_it_names(catalog: Catalog) -> None:
    def at(*when: int) -> int:
        return int(datetime(*when).timestamp()) * 10**9  # type: ignore[arg-type]

    ask = found(
        catalog,
        sound("a", mtime_ns=at(2023, 12, 31, 23, 59, 59)),
        sound("b", mtime_ns=at(2024, 1, 1)),
        sound("c", mtime_ns=at(2024, 1, 31, 18, 30, 20) + 5),
        sound("d", mtime_ns=at(2024, 2, 1)),
    )

    assert ask("modified<2024") == ["a"]
    assert ask("modified=2024") == ["b", "c", "d"]
    assert ask("modified=2024-01") == ask("modified:2024-01") == ["b", "c"]
    assert ask("modified<=2024-01-01") == ["a", "b"]
    assert ask("modified>2024-01-01") == ["c", "d"]
    assert ask("modified>2024-01") == ["d"]
    assert ask("modified!=2024-01") == ["a", "d"]
    assert ask("modified=2024-01-31T18:30") == ask('modified="2024-01-31 18:30:20"') == ["c"]
    assert ask("modified=2024-01-31T18:30:19") == []
    assert ask("modified>=1900 and modified<=2999") == ["a", "b", "c", "d"]


def test_a_date_with_a_zone_is_the_same_everywhere() -> None:
    assert span("2024-06-01T12:00:00Z") == (NOW_NS, NOW_NS + 10**9)
    assert span("2024-06-01T14:00+02:00") == (NOW_NS, NOW_NS + 60 * 10**9)


def test_an_age_counts_back_from_now(catalog: Catalog) -> None:
    ask = found(catalog, sound("new"), sound("old", mtime_ns=NOW_NS - 30 * DAY_NS))

    assert ask("age<30d") == ["new"]
    assert ask("age>=30d") == ask("age>4w") == ["old"]
    assert ask("age<=720h") == ask("age<1y") == ["new", "old"]
    assert ask("age<99999999y") == ["new", "old"]


def test_names_are_found_by_part_by_pattern_and_in_either_case(catalog: Catalog) -> None:
    cafe = unicodedata.normalize("NFD", "CAFÉ.wav")
    ask = found(
        catalog,
        sound("rain/Dog_1.WAV"),
        sound(cafe),
        sound("10% [x] 'q'.flac"),
        sound("Straße 猫.mp3"),
    )

    assert ask("name:dog") == ask("name=DOG_?.wav") == ask("name:d*_1.*") == ["rain/Dog_1.WAV"]
    assert ask("name:rain") == ask("name=dog") == []
    assert ask("path:rain") == ask("path=rain/*") == ["rain/Dog_1.WAV"]
    assert ask("name:café") == [cafe]
    assert ask('name:"10% [X]"') == ask("name:\"'q'\"") == ["10% [x] 'q'.flac"]
    assert ask("name:[a-z]") == ask("name:10_") == []
    assert ask("name:STRAßE") == ask("name:猫") == ask("ext:mp3") == ["Straße 猫.mp3"]
    assert ask("ext in (.wav, flac)") == sorted(["rain/Dog_1.WAV", cafe, "10% [x] 'q'.flac"])
    assert ask("ext!=wav") == ["10% [x] 'q'.flac", "Straße 猫.mp3"]


def test_text_is_a_phrase_wherever_words_are_kept(catalog: Catalog) -> None:
    ask = found(
        catalog,
        sound("rain on a roof.wav"),
        sound("1.wav", words="Rain on roofs"),
        sound("2.wav", tags=("rain",)),
        sound("3.txt", passages=("Sun.", "There is rain on the roof.")),
    )

    assert len(ask("text:rain")) == 4
    assert ask('text:"rain on roof"') == ["1.wav"]
    assert ask('text:"on the roof"') == ["3.txt"]
    assert ask("text:sun and text:rain") == ["3.txt"]
    assert ask("not text:rain") == ask("text:snow") == []


def test_the_copy_that_passes_is_shown_even_when_another_is_preferred(catalog: Catalog) -> None:
    first, second = (
        File(1, path, NOW_NS, tags, "image", 9) for path, tags in (("a.jpg", ()), ("b.jpg", ("x",)))
    )
    stored = store(catalog, [first, second])
    [(segment,)] = stored.segments.values()
    by_path = {file.path: item for item, file in stored.files.items()}
    tagged = condition("tag:x", NOW_NS)

    with catalog.view() as view:
        hits = view.hits([segment], where=tagged, prefer={segment: by_path["a.jpg"]})
        named = view.match_words("jpg a", 5, where=tagged)
        elsewhere = view.hits([segment], under=b"/media/a.jpg", where=tagged)
        nowhere = view.segments(under=b"/media/a.jpg", where=tagged)

    assert hits[segment].item == by_path["b.jpg"]
    assert named == []
    assert elsewhere == {}
    assert nowhere.tolist() == []


@pytest.mark.parametrize(
    "value",
    [
        "'; DROP TABLE items; --", '" OR 1=1 --', "') OR (1", ":where0", "?", "x\\", "a\nb",
        'rain" OR "x', "rain*", "NEAR(rain)", "name:rain", "-rain", "{}", "%s", "{below}", "🐕",
    ],
)  # fmt: skip
def test_what_is_typed_never_becomes_sql_or_full_text_syntax(catalog: Catalog, value: str) -> None:
    ask = found(catalog, sound("rain.wav"))
    for name in ("tag", "name", "path", "ext"):
        where = to_sql(Test(name, "=", value), NOW_NS)
        plain = to_sql(Test(name, "=", "x"), NOW_NS)

        assert where.sql == plain.sql
        ask(show(Test(name, "=", value)))
    if re.search(r"[^\W_]", value):
        assert to_sql(Test("text", ":", value), 0).sql == to_sql(Test("text", ":", "x"), 0).sql
        assert ask(show(Test("text", ":", value))) == (
            ["rain.wav"] if value in ("rain*", "-rain") else []
        )
    assert ask("size=100") == ["rain.wav"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("durration<5", "character 1: unknown field 'durration'; did you mean 'duration'?"),
        ("size>1 and modality:3d", "character 12: unknown field 'modality'; did you mean 'kind'?"),
        ("", "character 1: empty; say what to keep, as in duration<5"),
        ("size", "character 5: the end where size needs one of: = != < <= > >= in"),
        ("size>", "character 6: the end where size needs a size such as 10MB"),
        ("size>10XB", "character 6: '10XB' is not a size such as 10MB, which size needs"),
        ("size>-5", "character 6: '-5' is not a size such as 10MB, which size needs"),
        ("size>1e9", "character 6: '1e9' is not a size such as 10MB, which size needs"),
        ("age<30", "character 5: '30' is not a time with its unit, such as 30d, which age needs"),
        ("width>=size", "character 8: 'size' is not a number, which width needs"),
        ("kind:sound", "character 6: unknown kind 'sound'; known: 3d, audio, image, text, video"),
        ("kind:imge", "character 6: unknown kind 'imge'; did you mean 'image'?"),
        ("tag!=x", "character 4: tag takes '=', not '!='; write not tag=…"),
        ("name<x", "character 5: name takes '= != :', not '<'"),
        ("text=a", "character 5: text takes ':', not '='"),
        ("text:'?!'", "character 6: '?!' is not a word or a phrase, which text needs"),
        ("name:''", "character 6: '' is not a name, which name needs"),
        ("path in (a, '')", "character 13: '' is not a name, which path needs"),
        ("tag=''", "character 5: '' is not a tag, which tag needs"),
        ("size>1 size<2", "character 8: 'size' where 'and', 'or' or the end should be"),
        ("size>1)", "character 7: ')' where 'and', 'or' or the end should be"),
        ("(size>1", "character 8: the end where ')' should be"),
        ("size>1 and", "character 11: the end where a test such as duration<5 should be"),
        ("ext in wav", "character 8: 'wav' where '(' should be"),
        ("ext in ()", "character 9: ')' where ext needs a file extension"),
        ("ext in (wav flac)", "character 13: 'flac' where ')' should be"),
        ("name:'it", "character 6: a quote that is not closed"),
        ("name:don't", "character 9: ''' where 'and', 'or' or the end should be"),
        ("size>1\0", "character 7: a character that is no text"),
        ("tag:\udcff", "character 5: a character that is no text"),
        ("size>" + "9" * 5000, "is not a size such as 10MB, which size needs"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_one_line_with_its_place(text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(text)

    assert str(error.value).startswith("filter, character ")
    assert str(error.value).endswith(message)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "date",
    ["2024-13", "2024-02-30", "24-01-01", "0000", "9999", "2024-1-1", "2024-01-01T25:00", "30d"],
)
def test_a_date_that_does_not_exist_is_refused(date: str) -> None:
    with pytest.raises(UsageError, match="is not a date such as 2024"):
        parse(f"modified<{date}")


@settings(deadline=None, max_examples=300)
@given(text=st.text(max_size=40) | st.text("()\"'\\=<>!:, andornti1MB.sizetag", max_size=60))
def test_any_text_is_a_filter_or_one_line_of_error(text: str) -> None:
    try:
        tree = parse(text)
    except UsageError as error:
        lines = str(error).splitlines()
    else:
        lines = [show(tree)]
        assert parse(show(tree)) == tree
    assert len(lines) == 1


def test_what_is_too_deep_too_much_or_too_long_is_refused() -> None:
    for text, message in (
        ("(" * 100_000, "longer than"),
        ("(" * 9_000, "parentheses more than"),
        ("not " * 2_400 + "(" * 17 + "size<1" + ")" * 17, "parentheses more than"),
        (" or ".join(["size<1"] * (MAX_TESTS + 1)), "more than 200 values"),
        (f"ext in ({', '.join(['a'] * (MAX_TESTS + 1))})", "more than 200 values"),
    ):
        with pytest.raises(UsageError, match=message):
            parse(text)


@pytest.mark.parametrize("test", ["tag:é*", "text:dog", "name!=*é*", "modified!=2024", "size<1"])
def test_the_largest_filters_are_still_answered(many: Stored, test: str) -> None:
    deep = test
    for turn in range(MAX_DEPTH):
        deep = f"not ({test} {'or' if turn % 2 else 'and'} {deep})"
    long = " or ".join([test] * (MAX_TESTS - MAX_DEPTH - 1))
    bushy = test
    while bushy.count(test) <= MAX_TESTS // 2:
        word = "and" if " or " in bushy.rpartition(")")[2] else "or"
        bushy = f"({bushy}) {word} ({bushy})"

    with many.catalog.view() as view:
        for text in (deep, f"{deep} and ({long})", bushy, "not " * 2_400 + test):
            where = condition(text, NOW_NS)
            ids = view.segments(under=b"/media/rain", where=where)
            assert view.hits(ids.tolist(), under=b"/media/rain", where=where).keys() == set(ids)
            view.match_words("rain", 5, under=b"/media/rain", where=where)


def test_the_table_of_fields_in_the_documentation_is_that_of_the_code() -> None:
    page = (Path(__file__).parents[2] / "docs" / "filters.md").read_text("utf-8")
    rows = [
        f"| `{name}` | {' '.join(f'`{sign}`' for sign in field.kind.operators)} |"
        f" {field.kind.shown} | {field.meaning} |"
        for name, field in FIELDS.items()
    ]

    assert "\n".join(rows) in page
    for example in re.findall(r"--where '([^']*)'", page):
        parse(example)
