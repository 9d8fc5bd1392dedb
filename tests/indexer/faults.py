"""Files as a library of years holds them: damaged, lying, hostile, oddly named, or none at all."""

from __future__ import annotations

import io
import os
import pickle
import random
import socket
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

#: What becomes of the file: it is read, it must fail, or either (a flipped bit may do no harm).
GOOD, BAD, ANY = "good", "bad", "any"


@dataclass(frozen=True)
class Made:
    """A file that was made, and what must become of it."""

    path: bytes
    kind: str
    fate: str


class Trap:
    """Unpickling this makes a file: whether code ran shows."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (os.fspath(self.path),)


def make_faults(folder: Path, good: Sequence[Path], count: int, trap: Path) -> Iterator[Made]:
    """`count` files of all kinds in turn, below `folder`.

    good: readable files of every modality, of which the others are made
    trap: a folder that comes to be if a file's code is run
    """
    chance = random.Random(count)
    kinds: list[Callable[[Path, random.Random, Sequence[Path]], Made]] = [
        flipped, truncated, renamed, empty, flipped, truncated, lying, lying, lying, bomb,
        lambda at, chance, good: pickled(at, trap), special, locked, odd_name, deep, not_utf8,
    ]  # fmt: skip
    for number in range(count):
        place = folder / f"{number % 97:02d}"
        place.mkdir(parents=True, exist_ok=True)
        yield kinds[number % len(kinds)](place / f"{number:05d}", chance, good)


def put(path: Path | bytes, content: bytes, kind: str, fate: str) -> Made:
    with open(path, "wb") as file:  # noqa: PTH123 (bytes)
        file.write(content)
    return Made(os.fsencode(path), kind, fate)


def flipped(at: Path, chance: random.Random, good: Sequence[Path]) -> Made:
    base = chance.choice(good)
    content = bytearray(base.read_bytes())
    for _ in range(chance.choice((1, 3, 40))):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return put(at.with_suffix(base.suffix), bytes(content), "flipped", ANY)


def truncated(at: Path, chance: random.Random, good: Sequence[Path]) -> Made:
    base = chance.choice(good)
    content = base.read_bytes()
    return put(
        at.with_suffix(base.suffix), content[: chance.randrange(1, len(content))], "cut", ANY
    )


def renamed(at: Path, chance: random.Random, good: Sequence[Path]) -> Made:
    """The content of one kind under the name of another."""
    base = chance.choice([path for path in good if path.suffix in (".png", ".wav", ".glb")])
    other = {".png": ".glb", ".wav": ".png", ".glb": ".flac"}[base.suffix]
    return put(at.with_suffix(other), base.read_bytes(), "renamed", BAD)


def empty(at: Path, chance: random.Random, good: Sequence[Path]) -> Made:
    suffix = chance.choice((".png", ".wav", ".obj", ".txt", ".pdf", ".3mf", ".npy"))
    return put(at.with_suffix(suffix), b"", "empty", BAD)


def lying(at: Path, chance: random.Random, good: Sequence[Path]) -> Made:
    """A header that declares far more than there is."""
    suffix, content = chance.choice(
        (
            (".png", png_of(60_000, 60_000)),
            (".wav", wav_of(0xFFFFFF00)),
            (".stl", bytes(80) + struct.pack("<I", 0xFFFFFFF0) + bytes(50)),
            (".ply", b"ply\nformat binary_little_endian 1.0\nelement vertex 4000000000\n"
                     b"property float x\nproperty float y\nproperty float z\nend_header\n\0\0"),
            (".npy", npy_of((2_000_000_000, 3))),
            (".glb", b"glTF" + struct.pack("<II", 2, 0xFFFFFFF0) + bytes(40)),
        )
    )  # fmt: skip
    return put(at.with_suffix(suffix), content, "lying", ANY if suffix == ".wav" else BAD)


def bomb(at: Path, chance: random.Random, good: Sequence[Path]) -> Made:
    """A zip of a few kilobytes that unpacks to gigabytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("3D/3dmodel.model", bytes(50_000_000))
    content = bytearray(out.getvalue())
    # Both headers declare 4 GB: what is believed must still be harmless.
    for sign, offset in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        where = content.find(sign)
        content[where + offset : where + offset + 4] = struct.pack("<I", 0xF0000000)
    return put(at.with_suffix(".3mf"), bytes(content), "bomb", BAD)


def pickled(at: Path, trap: Path) -> Made:
    out = io.BytesIO()
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }"
    out.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header) + 1) + header + b"\n")
    out.write(pickle.dumps(Trap(trap)))
    return put(at.with_suffix(".npy"), out.getvalue(), "pickled", BAD)


def special(at: Path, chance: random.Random, good: Sequence[Path]) -> Made:
    """A pipe or a socket under the name of a picture: never opened, never an item."""
    path = at.with_suffix(".png")
    if chance.random() < 0.5:
        os.mkfifo(path)
        return Made(os.fsencode(path), "pipe", "special")
    with socket.socket(socket.AF_UNIX) as server:
        before = os.getcwd()  # noqa: PTH109 (a socket's name may be 107 bytes long)
        os.chdir(path.parent)
        try:
            server.bind(path.name)
        finally:
            os.chdir(before)
    return Made(os.fsencode(path), "socket", "special")


def locked(at: Path, chance: random.Random, good: Sequence[Path]) -> Made:
    base = chance.choice(good)
    path = at.with_suffix(base.suffix)
    put(path, base.read_bytes() + b"\n", "locked", BAD)
    path.chmod(0)
    # The superuser reads it all the same.
    return Made(os.fsencode(path), "locked", ANY if os.access(path, os.R_OK) else BAD)


def odd_name(at: Path, chance: random.Random, good: Sequence[Path]) -> Made:
    base = pick(chance, good)
    path = at.with_name(f"{at.name} new\nline ‮\t{chance.choice('äß中🎈')}{base.suffix}")
    return put(path, own(base, at), "odd name", GOOD)


def deep(at: Path, chance: random.Random, good: Sequence[Path]) -> Made:
    """A path of more than 1,000 bytes."""
    base = pick(chance, good)
    place = at.parent
    for _ in range(5):
        place = place / ("long folder " * 18)[:200]
    place.mkdir(parents=True, exist_ok=True)
    return put(place / f"{at.name}{base.suffix}", own(base, at), "deep", GOOD)


def not_utf8(at: Path, chance: random.Random, good: Sequence[Path]) -> Made:
    base = pick(chance, good)
    path = os.fsencode(at) + b" \xff\xfe" + os.fsencode(base.suffix)
    return put(path, own(base, at), "not UTF-8", GOOD)


def pick(chance: random.Random, good: Sequence[Path]) -> Path:
    """A file that may have more bytes behind its end."""
    return chance.choice([path for path in good if path.suffix in (".png", ".txt", ".obj")])


def own(base: Path, at: Path) -> bytes:
    """Its bytes and some that no other file has: another content, whose name is in it."""
    return base.read_bytes() + b"\n# " + at.name.encode() + b"\n"


def png_of(width: int, height: int) -> bytes:
    """A PNG that only claims to be that large."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(99))), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def wav_of(size: int) -> bytes:
    """A WAV with a tenth of a second of sound that declares `size` bytes."""
    head = struct.pack("<HHIIHH", 1, 1, 8_000, 16_000, 2, 16)
    sound = np.random.default_rng(size % 1_000).integers(-9_000, 9_000, 800, np.int16).tobytes()
    return (
        b"RIFF" + struct.pack("<I", size) + b"WAVEfmt " + struct.pack("<I", 16) + head
        + b"data" + struct.pack("<I", size) + sound
    )  # fmt: skip


def npy_of(shape: tuple[int, ...]) -> bytes:
    """An array file that declares that shape and holds nothing."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
