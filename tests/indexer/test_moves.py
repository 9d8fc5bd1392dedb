"""Files that got another name or place: the same items with the same vectors."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from indexer import Indexer
from tests.indexer.conftest import Library, text
from unisearch.errors import Unreadable

Forbid = Callable[[], None]


def ids(library: Library) -> dict[str, int]:
    """Items by their path below the media folder."""
    return {
        str(Path(os.fsdecode(i.path)).relative_to(library.media)): i.id for i in library.items()
    }


def write_many(library: Library, *names: str) -> dict[str, int]:
    """Texts of these names, each of another content, indexed; their items."""
    for name in names:
        text(library.media / name, f"The content of {name}")
    library.run()
    return ids(library)


@pytest.fixture
def case_blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking at a path finds a file whose name differs in case only, as on FAT, NTFS and APFS."""
    lstat = os.lstat

    def blind(path: bytes) -> os.stat_result:
        try:
            return lstat(path)
        except FileNotFoundError:
            at = Path("/")
            for name in os.fsdecode(path).split("/")[1:]:
                alike = [one for one in at.iterdir() if one.name.casefold() == name.casefold()]
                at = alike[0] if alike else at / name
            return lstat(at)

    monkeypatch.setattr(os, "lstat", blind)


@pytest.mark.parametrize("blind", [False, True])
@pytest.mark.parametrize(("old", "new"), [("Pond/Owl.txt", "Pond/OWL.txt"), ("Pond", "pond")])
def test_a_name_that_changed_in_case_only_is_the_same_item(
    request: pytest.FixtureRequest,
    library: Library,
    nothing_embedded: Forbid,
    blind: bool,
    old: str,
    new: str,
) -> None:
    before = write_many(library, "Pond/Owl.txt", "Pond/Cow.txt", "x.txt")
    (library.media / old).rename(library.media / new)
    if blind:
        request.getfixturevalue("case_blind")

    nothing_embedded()
    foreseen, report = library.run(dry_run=True), library.run()

    for one in (foreseen, report):
        assert (one.moved, one.added, one.removed) == (len(before) - one.unchanged, 0, 0)
    assert ids(library) == {name.replace(old, new): item for name, item in before.items()}


def test_two_links_to_one_file_are_two_items_though_they_differ_in_case_only(
    library: Library,
) -> None:
    before = write_many(library, "owl.txt")
    (library.media / "OWL.txt").hardlink_to(library.media / "owl.txt")

    report = library.run()

    assert (report.added, report.moved, report.removed) == (1, 0, 0)
    assert ids(library)["owl.txt"] == before["owl.txt"]


@pytest.mark.parametrize("names", ["ab", "abc"])
def test_files_that_swap_names_keep_their_items(
    library: Library, nothing_embedded: Forbid, names: str
) -> None:
    before = write_many(library, *(f"{name}.txt" for name in names), "still.txt")
    Indexer(settings=library.settings).tag([before["a.txt"]], add=["mine"])
    files = [library.media / f"{name}.txt" for name in names]
    files[-1].rename(library.media / "aside")
    for old, new in reversed(list(itertools.pairwise(files))):
        old.rename(new)
    (library.media / "aside").rename(files[0])

    nothing_embedded()
    foreseen, report = library.run(dry_run=True), library.run()

    for one in (foreseen, report):
        assert (one.moved, one.updated, one.unchanged) == (len(names), 0, 1)
    turned = names[1:] + names[0]
    assert ids(library) == {
        "still.txt": before["still.txt"],
        **{f"{new}.txt": before[f"{old}.txt"] for old, new in zip(names, turned, strict=True)},
    }
    item = library.item("b.txt")
    assert b"content of a" in Path(os.fsdecode(item.path)).read_bytes()
    with sqlite3.connect(library.path / "catalog.db") as catalog:
        assert catalog.execute("SELECT item_id FROM tags").fetchall() == [(item.id,)]
    library.live_rows()
    assert library.run().unchanged == len(names) + 1


def test_a_swap_of_a_text_and_a_page_reads_both_anew(library: Library) -> None:
    """The name decides how they are read."""
    write_many(library, "a.txt", "b.md")
    (library.media / "a.txt").rename(library.media / "x")
    (library.media / "b.md").rename(library.media / "a.txt")
    (library.media / "x").rename(library.media / "b.md")

    report = library.run()

    assert (report.updated, report.failed) == (2, [])
    assert sorted(ids(library)) == ["a.txt", "b.md"]
    library.live_rows()


def test_a_file_that_an_editor_replaces_stays_its_item(library: Library) -> None:
    before = write_many(library, "note.txt", "other.txt")
    text(library.media / ".note.txt.swp", "The new text").replace(library.media / "note.txt")

    report = library.run()

    assert (report.updated, report.added, report.removed) == (1, 0, 0)
    assert ids(library) == before


def test_a_file_that_comes_back_during_a_run_keeps_its_item(library: Library) -> None:
    file = text(library.media / "owl.txt", "An owl hoots")
    library.run()
    before = library.item("owl.txt").id
    file.unlink()
    text(library.media / "new.txt", "This takes a while")

    report = library.run(progress=lambda now: text(file, "An owl hoots again"))

    assert (report.added, report.removed) == (1, 0)
    assert library.run().updated == 1
    assert library.item("owl.txt").id == before


def test_a_file_that_is_moved_over_another_takes_its_place(
    library: Library, nothing_embedded: Forbid
) -> None:
    before = write_many(library, "a.txt", "b.txt")
    (library.media / "a.txt").replace(library.media / "b.txt")

    nothing_embedded()
    library.run()

    assert ids(library) == {"b.txt": before["b.txt"]}
    assert len(library.live_rows()) == 1


def test_copies_that_are_renamed_each_keep_their_own_item(
    library: Library, nothing_embedded: Forbid
) -> None:
    for name in "abc":
        text(library.media / f"{name}.txt", "The same in all")
    library.run()
    before = ids(library)
    for old, new in ("cx", "by", "az"):
        (library.media / f"{old}.txt").rename(library.media / f"{new}.txt")

    nothing_embedded()
    report = library.run()

    assert report.moved == 3
    assert ids(library) == {f"{new}.txt": before[f"{old}.txt"] for old, new in ("cx", "by", "az")}


def test_a_tree_that_moves_into_another_root_keeps_items_and_vectors(
    library: Library, tmp_path: Path, nothing_embedded: Forbid
) -> None:
    other = tmp_path / "other"
    text(other / "here.txt", "Something else")
    before = write_many(library, *(f"tree/{n % 7}/{n}.txt" for n in range(200)))
    library.run(other)
    rows = library.live_rows()
    shutil.move(library.media / "tree", other / "tree")

    nothing_embedded()
    report = library.run(library.media, other)

    assert (report.moved, report.removed, report.unchanged) == (200, 0, 1)
    paths = {item.id: item.path for item in library.items()}
    for name, item in before.items():
        assert paths[item] == bytes(other / name)
    after = library.live_rows()
    assert after.keys() == rows.keys()
    assert all((after[key] == rows[key]).all() for key in rows)


@pytest.fixture
def on_fat(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system says that all files lie on a FAT drive."""
    monkeypatch.setattr("indexer.marks.mounted", lambda path: ("vfat", b"/"))


@contextmanager
def nothing_read() -> Iterator[None]:
    def refuse(path: bytes, size_bytes: int) -> bytes:
        raise KeyError("a file was read")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("indexer.detect.digest_of", refuse)
        yield


def mounted_anew(library: Library) -> None:
    """Every file has another inode number than when it was indexed."""
    with sqlite3.connect(library.path / "catalog.db") as catalog:
        catalog.execute("UPDATE items SET inode = inode + 1000000, ctime_ns = ctime_ns + 1")


@pytest.mark.usefixtures("on_fat")
def test_other_inode_numbers_mean_nothing_where_they_are_not_kept(
    library: Library, nothing_embedded: Forbid
) -> None:
    write_many(library, "a.txt", "b.txt")
    mounted_anew(library)

    with nothing_read():
        assert library.run().unchanged == 2
    nothing_embedded()
    assert library.run(thorough=True).unchanged == 2


@pytest.mark.usefixtures("on_fat")
def test_a_change_that_only_the_content_shows_is_found_by_a_thorough_run(library: Library) -> None:
    before = write_many(library, "a.txt", "b.txt")
    file = library.media / "a.txt"
    status = file.stat()
    file.write_bytes(file.read_bytes().replace(b"content", b"meaning"))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert library.run().unchanged == 2
    foreseen, report = library.run(dry_run=True, thorough=True), library.run(thorough=True)

    for one in (foreseen, report):
        assert (one.updated, one.unchanged) == (1, 1)
    assert ids(library) == before


@pytest.mark.usefixtures("on_fat")
def test_a_watcher_can_be_as_thorough(library: Library) -> None:
    write_many(library, "a.txt")
    file = library.media / "a.txt"
    status = file.stat()
    file.write_bytes(file.read_bytes().replace(b"content", b"meaning"))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))

    with Indexer(settings=library.settings) as indexer:
        assert indexer.refresh([bytes(library.media)]).updated == 0
        assert indexer.refresh([bytes(library.media)], thorough=True).updated == 1


def test_a_thorough_run_reads_nothing_where_the_file_system_can_tell(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.marks.mounted", lambda path: ("ext4", b"/"))
    write_many(library, "a.txt")

    with nothing_read():
        assert library.run(thorough=True).unchanged == 1


@pytest.mark.usefixtures("on_fat")
def test_a_renamed_file_is_known_by_its_content_where_inodes_are_not_kept(
    library: Library, nothing_embedded: Forbid
) -> None:
    before = write_many(library, "a.txt")
    (library.media / "a.txt").rename(library.media / "b.txt")

    nothing_embedded()

    assert library.run().moved == 1
    assert ids(library) == {"b.txt": before["a.txt"]}


@pytest.mark.usefixtures("on_fat")
def test_a_failure_is_not_tried_again_for_another_inode_number(library: Library) -> None:
    (library.media / "bad.png").write_bytes(b"no picture at all")
    library.run()
    with sqlite3.connect(library.path / "catalog.db") as catalog:
        catalog.execute("UPDATE failures SET inode = inode + 1000000")

    [failure] = library.run().failed

    assert failure.known
    assert failure.kind == Unreadable("", "corrupt", "").kind
