"""What is told of damaged files: in our words, and where; never in those of a library."""

from __future__ import annotations

import json
import os
import random
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from unisearch.errors import Unreadable
from unisearch.media import formats
from unisearch.media.damage import Damage
from unisearch.media.files import _Watched
from unisearch.media.read import READERS, read
from unisearch.records import ReadOptions

Write = Callable[[Path], Path]
OPTIONS = ReadOptions(points=64)
SUFFIXES = [suffix for reader in READERS.values() for suffix in reader.suffixes]

PLY = "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\n"
CORNERS = "v 0 0 0\nv 1 0 0\nv 0 1 0\n"
FACET = "facet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\n{}endloop\nendfacet\n"
PCD = "FIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nPOINTS 2\nDATA ascii\n"

BROKEN = {
    "deep.json": ("[" * 100_000, "it is nested too deep"),
    "comma.json": ('{"a": 1,\n "b": [1, 2,]\n}', "its JSON is broken in line 2, column 13"),
    "line.json": ('{"a": 1}\n{"b": 2}\n{"c": }\n', "its JSON is broken in line 3, column 7"),
    "odd.txt": (b"\xff\xfeA\0B", "begins as UTF-16 text, but byte 5 does not go on so"),
    "noise.glb": (bytes(range(250)) * 9, "it does not begin as a GLB model does"),
    "short.glb": (
        b"glTF" + (2).to_bytes(4, "little") + (900).to_bytes(4, "little") + b"\0" * 20,
        "it declares 900 bytes, but ends after 32",
    ),
    "old.glb": (
        b"glTF" + (1).to_bytes(4, "little") + bytes(99),
        "it is of version 1 of GLB; version 2 is read",
    ),
    "deep.gltf": ("[" * 100_000, "it is nested too deep"),
    "far.obj": (CORNERS + "f 1 2 9\n", "the face in line 4 refers to vertex 9, but there are 3"),
    "word.obj": (CORNERS + "v 0 x 1\nf 1 2 3\n", "the vertex in line 4 is damaged"),
    "face.obj": (CORNERS + "f 1 2 y\n", "the face in line 4 is damaged"),
    "short.ply": (
        PLY + "property float z\nend_header\n0 0 0\n",
        "it declares 3 vertices, but ends before them",
    ),
    "flat.ply": (PLY + "end_header\n0 0\n1 0\n0 1\n", "its vertices have no x, y and z"),
    "head.ply": (PLY + "property real z\nend_header\n0 0 0\n", "line 6 of its header is damaged"),
    "far.off": (
        "OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 7\n",
        "the face in line 6 refers to a vertex that does not exist",
    ),
    "torn.stl": (
        "solid\n" + FACET.format("vertex 0 1 0\n"),
        "it ends early: there is no 'endsolid'",
    ),
    "two.stl": (
        "solid\n" + FACET.format("") + "endsolid\n",
        "the facet that ends in line 7 has 2 vertices",
    ),
    "torn.dae": ("<COLLADA>\n<asset>\n</COLLADA>", "its XML is broken in line 3, column 11"),
    "torn.3mf": (b"PK\3\4" + bytes(80), "its zip archive is damaged"),
    "torn.npz": (b"PK\3\4" + bytes(80), "its zip archive is damaged"),
    "torn.fbx": (b"Kaydara FBX Binary  \0\x1a\0" + bytes(9), "it ends early"),
    "words.xyz": ("0 0 0\n1 0 0\n1 one 0\n", "line 3 holds something that is no number"),
    "ragged.xyz": ("3\n0 0 0\n1 0 0\n1 0\n", "line 4 has 2 values, the lines before have 3"),
    "words.pcd": (PCD + "0 0 0\n0 x 0\n", "line 7 holds something that is no number"),
    "short.pcd": (
        PCD.replace("ascii", "binary") + "0" * 12,
        "it declares 2 points, but is too short for them",
    ),
    "flat.pcd": (
        PCD.replace("x y z", "a b c") + "0 0 0\n",
        "its PCD header names no columns x, y and z",
    ),
    "text.pdf": ("%PDF-1.4\nnothing", "the PDF's structure is damaged"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_reason_says_what_is_wrong_and_where(name: str, tmp_path: Path) -> None:
    content, reason = BROKEN[name]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(Unreadable) as caught:
        list(read(path, OPTIONS).parts)

    assert caught.value.kind == "corrupt"
    what, words = caught.value.reason.split(": ", 1)
    assert what.startswith("damaged or not a ")
    assert words == reason


def test_an_array_that_ends_early_says_what_it_declared(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((40, 3), np.float32))
    path.write_bytes(path.read_bytes()[:-1])

    with pytest.raises(Unreadable, match="its header declares 40 x 3 values, but it ends before"):
        read(path)


def test_a_buffer_that_is_missing_is_named(tmp_path: Path, write: Write) -> None:
    path = write(tmp_path / "a.gltf")
    buffer, *_ = json.loads(path.read_text())["buffers"]
    (tmp_path / buffer["uri"]).unlink()

    with pytest.raises(Unreadable, match=f"'{buffer['uri']}', which the model refers to, is miss"):
        read(path)


@pytest.mark.parametrize("suffix", [*formats.PICTURES, *formats.SOUNDS, *formats.MODELS])
def test_a_large_file_of_zeros_is_not_read_to_its_end(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"a{suffix}"
    path.touch()
    os.truncate(path, 40 * 1024**2)
    taken = []
    readall, readinto = _Watched.readall, _Watched.readinto

    def all_of(self: _Watched) -> bytes:
        content = readall(self)
        taken.append(len(content))
        return content

    def some_of(self: _Watched, buffer: object) -> int | None:
        count = readinto(self, buffer)
        taken.append(count or 0)
        return count

    monkeypatch.setattr(_Watched, "readall", all_of)
    monkeypatch.setattr(_Watched, "readinto", some_of)

    with pytest.raises(Unreadable):
        list(read(path, OPTIONS).parts)

    # These may begin with anything.
    assert sum(taken) < 8 * 1024**2 or suffix in (".stl", ".fbx", ".pcd", ".usd")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".gif", ".bmp", ".tif", ".webp", ".jp2"])
def test_a_picture_that_ends_early_says_so_or_that_it_is_damaged(
    suffix: str, tmp_path: Path, write: Write
) -> None:
    path = write(tmp_path / f"a{suffix}")
    path.write_bytes(path.read_bytes()[:-40])

    with pytest.raises(Unreadable) as caught:
        read(path)

    kind, words = caught.value.reason.split(": ", 1)
    assert kind == "damaged or not a picture"
    assert words in ("the picture ends early", "its data is damaged")


def test_a_damaged_npz_is_not_told_to_be_a_zip_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, xyz=np.zeros((9, 3)))
    path.write_bytes(path.read_bytes()[:-30])

    with pytest.raises(Unreadable, match="its zip archive is damaged"):
        read(path)


def test_a_damaged_m4a_is_not_told_to_be_a_video(tmp_path: Path, write: Write) -> None:
    path = write(tmp_path / "a.m4a")
    path.write_bytes(path.read_bytes()[:60])

    with pytest.raises(Unreadable, match="damaged or not a sound"):
        read(path)


def test_an_archive_under_a_models_name_is_told_as_one(tmp_path: Path) -> None:
    path = tmp_path / "a.obj"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "words")

    with pytest.raises(Unreadable, match="looks like a zip archive"):
        read(path)


def damaged(content: bytes, draw: random.Random) -> bytes:
    """The content cut off, with wrong bytes in it, or with wrong bytes behind its beginning."""
    way = draw.randrange(4)
    if way == 0:
        return content[: draw.randrange(1, len(content))]
    if way == 1:
        return content[: draw.choice((4, 16, 64))] + draw.randbytes(300)
    wrong = bytearray(content)
    reach = min(len(wrong), 400) if way == 2 else len(wrong)
    for _ in range(draw.choice((1, 3, 20))):
        wrong[draw.randrange(reach)] = draw.choice((0, 0xFF, draw.randrange(256)))
    return bytes(wrong)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_word_of_a_library_is_told_of_damage(
    suffix: str, tmp_path: Path, write: Write, capfd: pytest.CaptureFixture[str]
) -> None:
    content = write(tmp_path / f"whole{suffix}").read_bytes()
    path = tmp_path / f"damaged{suffix}"
    draw = random.Random(suffix)  # the same files in each run

    refusals = []
    for _ in range(4 if suffix.startswith(".usd") else 30):
        path.write_bytes(damaged(content, draw))
        refusals += refusal(path)

    assert refusals
    for error in refusals:
        said = words_behind(error)
        assert not said or said not in error.reason, error
        assert "\n" not in error.reason
        assert str(tmp_path) not in error.reason
    assert capfd.readouterr() == ("", "")


def refusal(path: Path) -> list[Unreadable]:
    """How the file is refused, if it is; nothing may be told beside that."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            list(read(path, OPTIONS).parts)
            found = []
        except Unreadable as error:
            found = [error]
    assert not told, told[0]
    return found


def words_behind(error: BaseException) -> str:
    """What the library said in which the error began."""
    while error.__cause__ is not None:
        error = error.__cause__
    return "" if isinstance(error, (Unreadable, Damage)) else str(error)
