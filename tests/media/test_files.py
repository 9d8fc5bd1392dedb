"""Failures of the system while reading, told from failures of the file."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from unisearch.errors import Unreadable
from unisearch.media.files import checked_size, guarded
from unisearch.media.read import READERS, read

Write = Callable[[Path], Path]


class Failing(io.FileIO):
    """A file on a disk that fails behind the first bytes."""

    GOOD_BYTES = 20

    def readinto(self, buffer: object) -> int:  # type: ignore[override]
        if self.tell() >= self.GOOD_BYTES:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().readinto(memoryview(buffer)[: self.GOOD_BYTES])  # type: ignore[arg-type]

    def readall(self) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def failing_disk(monkeypatch: pytest.MonkeyPatch, name: str = "") -> None:
    """From now on reading files fails behind their first bytes; only those of that name, if any."""
    before = Path.open

    def opened(self: Path, *args: object, **kwargs: object) -> object:
        if name and self.name != name:
            return before(self, *args, **kwargs)  # type: ignore[call-overload]
        raw = Failing(self)
        return raw if args[1:] == (0,) else io.BufferedReader(raw)

    monkeypatch.setattr(Path, "open", opened)


@pytest.mark.filterwarnings("ignore:.*(Truncated|Corrupt EXIF)")  # Pillow's, about the same bytes
@pytest.mark.parametrize("suffix", [*(r.suffixes[0] for r in READERS.values()), ".pdf", ".tif"])
def test_a_disk_that_fails_while_reading_is_no_damage(
    suffix: str, tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / f"thing{suffix}")
    failing_disk(monkeypatch)

    with pytest.raises(Unreadable, match="Input/output error") as caught:
        list(read(path).parts)

    assert caught.value.transient
    assert caught.value.kind == "crash"


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENFILE, errno.ESTALE, errno.ENOSPC])
def test_what_the_system_lacks_for_now_passes(code: int, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a fox")

    with pytest.raises(Unreadable, match=os.strerror(code)) as caught, guarded(path, "text"):
        raise OSError(code, os.strerror(code), str(path))

    assert caught.value.transient
    assert str(tmp_path) not in caught.value.reason


def test_a_file_whose_place_cannot_be_looked_at_is_not_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    path = tmp_path / "a.txt"
    monkeypatch.setattr(Path, "stat", failing)
    monkeypatch.setattr(os, "lstat", failing)

    with pytest.raises(Unreadable) as caught:
        checked_size(path, 10)

    assert caught.value.transient
    assert caught.value.kind != "vanished"


@pytest.mark.parametrize("error", [OSError("broken data stream"), OSError(errno.EINVAL, "seek")])
def test_what_a_decoder_says_of_damaged_bytes_is_for_good(error: OSError, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"anything")

    with pytest.raises(Unreadable) as caught, guarded(path, "picture"):
        raise error

    assert caught.value.kind == "corrupt"
    assert not caught.value.transient


def test_a_texture_that_the_disk_cannot_deliver_now_is_not_left_out_for_good(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "paint.png")
    (tmp_path / "a.mtl").write_text("newmtl paint\nmap_Kd paint.png\n")
    corners = "v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 0 1\n"
    path = tmp_path / "a.obj"
    path.write_text(f"mtllib a.mtl\n{corners}usemtl paint\nf 1/1 2/2 3/3\n")
    failing_disk(monkeypatch, "paint.png")

    with pytest.raises(Unreadable, match=r"paint\.png") as caught:
        read(path)

    assert caught.value.transient


def test_what_ffmpeg_says_of_damage_is_not_taken_for_the_system(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    import av

    path = write(tmp_path / "a.wav")

    def damaged(*_: object, **__: object) -> None:
        raise av.error.OSError(errno.EIO, "Input/output error", str(path))

    monkeypatch.setattr(av, "open", damaged)

    with pytest.raises(Unreadable) as caught:
        read(path)

    assert caught.value.kind == "corrupt"
    assert not caught.value.transient


@pytest.mark.parametrize("words", ["cannot read {0}", "index 8 is out of bounds", "b'\\x00'"])
def test_the_words_of_libraries_go_to_the_log_alone(
    words: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "two\nlines.stl"
    path.write_bytes(b"anything")

    with (
        caplog.at_level("DEBUG"),
        pytest.raises(Unreadable) as caught,
        guarded(path, "3D model"),
    ):
        raise ValueError(words.format(path))

    assert caught.value.reason == "damaged or not a 3D model"
    assert words.format(path) in caplog.text
