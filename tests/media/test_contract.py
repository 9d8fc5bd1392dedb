"""What every reader in the table does, whatever its modality."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from unisearch.errors import Unreadable
from unisearch.media.formats import read_as
from unisearch.media.read import READERS, modality_of, read
from unisearch.records import FACTS, MODALITIES, PointSample, ReadOptions, Sample

Write = Callable[[Path], Path]
OPTIONS = ReadOptions(points=64)
SUFFIXES = [(name, suffix) for name, reader in READERS.items() for suffix in reader.suffixes]


def arrays(sample: Sample) -> list[np.ndarray]:
    return [value for value in vars(sample).values() if isinstance(value, np.ndarray)]


@pytest.mark.parametrize(("modality", "suffix"), SUFFIXES)
def test_a_valid_file_of_each_suffix_is_read(
    modality: str, suffix: str, tmp_path: Path, write: Write
) -> None:
    path = write(tmp_path / f"thing{suffix}")

    reading = read(path, OPTIONS)
    parts = list(reading.parts)

    assert modality_of(path) == reading.modality == modality
    assert parts
    assert parts[0].sample.modality == modality
    heard = {"audio"} if modality == "video" else set()
    assert {part.sample.modality for part in parts} == {modality, *heard}
    assert reading.facts
    assert set(reading.facts) <= set(FACTS)
    assert all(np.isfinite(array).all() for part in parts for array in arrays(part.sample))
    if isinstance(parts[0].sample, PointSample):
        assert len(parts[0].sample.points) <= OPTIONS.points
    if modality == "text":
        assert "fox" in parts[0].text


@pytest.mark.parametrize(("modality", "suffix"), SUFFIXES)
def test_a_suffix_in_capitals_is_the_same_suffix(modality: str, suffix: str) -> None:
    path = Path("folder/Thing" + suffix.upper())

    assert modality_of(path) == modality


@pytest.mark.parametrize(("modality", "suffix"), SUFFIXES)
def test_an_empty_file_is_refused(modality: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"empty{suffix}"
    path.touch()

    with pytest.raises(Unreadable, match="empty") as caught:
        read(path, OPTIONS)

    assert caught.value.kind == "corrupt"


@pytest.mark.parametrize(("modality", "suffix"), SUFFIXES)
def test_binary_noise_is_refused_in_one_line(modality: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"noise{suffix}"
    path.write_bytes(np.random.default_rng(1).bytes(5000))

    with pytest.raises(Unreadable) as caught:
        list(read(path, OPTIONS).parts)

    assert caught.value.kind in ("corrupt", "unsupported")
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert str(tmp_path) not in caught.value.reason
    assert not re.search(r"object at|0x[0-9a-f]{6}|_io\.", caught.value.reason)


@pytest.mark.parametrize("modality", READERS)
def test_the_same_file_gives_the_same_samples(modality: str, tmp_path: Path, write: Write) -> None:
    path = write(tmp_path / f"thing{READERS[modality].suffixes[0]}")

    first, second = list(read(path, OPTIONS).parts), list(read(path, OPTIONS).parts)

    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert one.text == other.text
        for left, right in zip(arrays(one.sample), arrays(other.sample), strict=True):
            np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize(("modality", "suffix"), SUFFIXES)
def test_suffixes_that_are_read_alike_give_the_same_samples(
    modality: str, suffix: str, tmp_path: Path, write: Write
) -> None:
    path = write(tmp_path / f"thing{suffix}")
    other = tmp_path / f"other{read_as(suffix.upper())}"
    other.write_bytes(path.read_bytes())

    first, second = list(read(path, OPTIONS).parts), list(read(other, OPTIONS).parts)

    assert modality_of(other) == modality
    for one, twin in zip(first, second, strict=True):
        assert (one.start_s, one.end_s, one.text) == (twin.start_s, twin.end_s, twin.text)
        for left, right in zip(arrays(one.sample), arrays(twin.sample), strict=True):
            np.testing.assert_array_equal(left, right)


NAMES = {
    "bytes that are no UTF-8": b"caf\xe9 \xff\xfe",
    "a newline": b"two\nlines",
    "unicode": "日本語 ü 🎈".encode(),
    "an address": b"http:__example.org",
    "blanks and quotes": b' it\'s "quoted" ',
    "a dash in front": b"-rf",
}


@pytest.mark.parametrize("modality", READERS)
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_any_name_is_read(modality: str, name: bytes, tmp_path: Path, write: Write) -> None:
    suffix = READERS[modality].suffixes[0]
    plain = write(tmp_path / f"plain{suffix}")
    odd = tmp_path / os.fsdecode(name + suffix.encode())
    plain.rename(odd)

    parts = list(read(odd, OPTIONS).parts)

    assert parts[0].sample.modality == modality


@pytest.mark.parametrize("modality", READERS)
def test_a_file_that_vanished_says_so(modality: str, tmp_path: Path) -> None:
    path = tmp_path / f"gone{READERS[modality].suffixes[0]}"

    with pytest.raises(Unreadable) as caught:
        read(path, OPTIONS)

    assert caught.value.kind == "vanished"


@pytest.mark.parametrize("modality", READERS)
def test_a_file_over_the_limit_is_not_opened(
    modality: str, tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / f"large{READERS[modality].suffixes[0]}")
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("the file was opened"))

    with pytest.raises(Unreadable, match="limit is 10") as caught:
        read(path, ReadOptions(max_file_bytes=10))

    assert caught.value.kind == "too_large"


@pytest.mark.parametrize("modality", READERS)
def test_a_file_without_permission_says_so(
    modality: str, tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / f"locked{READERS[modality].suffixes[0]}")

    def forbidden(self: Path, *_: object) -> None:  # chmod does not stop the superuser
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", forbidden)

    with pytest.raises(Unreadable) as caught:
        list(read(path, OPTIONS).parts)

    assert caught.value.kind == "permission"


@pytest.mark.parametrize("modality", READERS)
def test_a_folder_or_a_pipe_under_a_known_suffix_is_refused(modality: str, tmp_path: Path) -> None:
    suffix = READERS[modality].suffixes[0]
    folder, pipe = tmp_path / f"folder{suffix}", tmp_path / f"pipe{suffix}"
    folder.mkdir()
    os.mkfifo(pipe)

    for path in (folder, pipe):
        with pytest.raises(Unreadable) as caught:
            read(path, OPTIONS)
        assert caught.value.kind == "unsupported"


@pytest.mark.parametrize("modality", READERS)
def test_too_little_memory_is_a_failure_of_its_own(
    modality: str, tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / f"thing{READERS[modality].suffixes[0]}")

    def exhausted(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Path, "open", exhausted)

    with pytest.raises(Unreadable) as caught:
        list(read(path, OPTIONS).parts)

    assert caught.value.kind == "memory"


FOREIGN = {
    "picture.mp3": "image",
    "picture.obj": "image",
    "picture.txt": "image",
    "sound.jpg": "audio",
    "sound.glb": "audio",
    "model.png": "3d",
    "text.jpg": "text",
    "text.wav": "text",
    "text.stl": "text",
    "picture.mp4": "image",
    "text.mkv": "text",
    "film.jpg": "video",
    "film.obj": "video",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_wrong_suffix_is_told_by_what_the_content_looks_like(
    name: str, tmp_path: Path, write: Write
) -> None:
    sources = {
        "image": "a.png",
        "audio": "a.flac",
        "3d": "a.glb",
        "text": "a.pdf",
        "video": "a.mkv",
    }
    looks = {"image": "PNG", "audio": "FLAC", "3d": "GLB", "text": "PDF", "video": "Matroska"}
    content = write(tmp_path / sources[FOREIGN[name]]).read_bytes()
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(Unreadable, match=looks[FOREIGN[name]]) as caught:
        list(read(path, OPTIONS).parts)

    assert caught.value.kind == "corrupt"


@pytest.mark.parametrize("name", ["thing.xyzzy", "thing", ".hidden"])
def test_an_unknown_suffix_is_unsupported(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"something")

    with pytest.raises(Unreadable) as caught:
        read(path)

    assert modality_of(path) is None
    assert caught.value.kind == "unsupported"


def test_every_modality_has_a_reader_and_no_suffix_has_two() -> None:
    suffixes = [suffix for _, suffix in SUFFIXES]

    assert set(READERS) == set(MODALITIES)
    assert len(suffixes) == len(set(suffixes))


def test_asking_for_the_modality_imports_no_decoder() -> None:
    heavy = "{'numpy', 'PIL', 'av', 'trimesh', 'ufbx', 'pxr', 'pypdfium2'}"
    code = (
        "import sys, pathlib; from unisearch.media.read import modality_of;"
        f"assert modality_of(pathlib.Path('a.png')) == 'image';"
        f"loaded = {heavy} & set(sys.modules); sys.exit(f'imported {{loaded}}' if loaded else 0)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
