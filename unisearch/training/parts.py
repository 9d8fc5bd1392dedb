"""One part of the training pool: pictures, shapes and sounds, and how each kind is made."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from unisearch.errors import UnisearchError
from unisearch.media.mesh import load_mesh, sample_points
from unisearch.records import PointSample, TriangleMesh
from unisearch.spaces.starter import prepare
from unisearch.training import sounds
from unisearch.training.corpus import Item
from unisearch.world.meshes import make_junk_mesh, make_mesh
from unisearch.world.render import render
from unisearch.world.sounds import make_sound

SIDE = 96  # px: a little more than the network sees, as training zooms in
WORLD_VIEWS, JUNK_VIEWS = 3, 3
REAL_VIEWS, REAL_SHAPES = 12, 4
TAKES = 14
#: Of each recording as it is.
PIECES = 3

#: What a row takes on the disk, with its key; and a part beside its rows.
HEAD_BYTES, KEY_BYTES = 4096, 128
PICTURE_BYTES = SIDE * SIDE * 4 + KEY_BYTES
SHAPE_BYTES = 2 * (9 * prepare.POINTS + prepare.CENTRES * (1 + prepare.NEIGHBOURS)) + KEY_BYTES
MEL_BYTES = 2 * prepare.FRAMES * prepare.BANDS + KEY_BYTES
#: What a thing takes at most, by the function that makes it.
WORLD_BYTES = WORLD_VIEWS * PICTURE_BYTES + SHAPE_BYTES
JUNK_BYTES = JUNK_VIEWS * PICTURE_BYTES + SHAPE_BYTES
REAL_BYTES = (1 + REAL_VIEWS) * PICTURE_BYTES + REAL_SHAPES * SHAPE_BYTES
TAKES_BYTES = (PIECES + TAKES) * MEL_BYTES


@dataclass
class Part:
    """Arrays and, for each row, the key of the thing that it shows.

    pictures: uint8 (n, SIDE, SIDE, 4); shapes: float16 (n, POINTS, 9); parts: int16 (n, c, 1 + k);
    mels: float16 (n, FRAMES, BANDS)
    """

    pictures: list[NDArray[np.uint8]] = field(default_factory=list)
    shapes: list[NDArray[np.float16]] = field(default_factory=list)
    parts: list[NDArray[np.int16]] = field(default_factory=list)
    mels: list[NDArray[np.float16]] = field(default_factory=list)
    picture_keys: list[str] = field(default_factory=list)
    shape_keys: list[str] = field(default_factory=list)
    mel_keys: list[str] = field(default_factory=list)

    def add_picture(self, key: str, pixels: NDArray[np.uint8]) -> None:
        self.pictures.append(pixels)
        self.picture_keys.append(key)

    def add_shape(self, key: str, sample: PointSample) -> None:
        table = prepare.frame(sample)  # signed normals: training turns the shape first
        self.shapes.append(table.astype(np.float16))
        self.parts.append(prepare.parts(table[:, :3]))
        self.shape_keys.append(key)

    def add_mel(self, key: str, mel: NDArray[np.float32]) -> None:
        self.mels.append(mel.astype(np.float16))
        self.mel_keys.append(key)

    def add_views(self, key: str, mesh: TriangleMesh, views: int, seed: int) -> None:
        """Pictures from all around, mostly from a little above, in changing light."""
        rng = np.random.default_rng(seed)
        start = rng.uniform(0, 360)
        for view in range(views):
            azimuth = start + 360 * view / views + rng.uniform(-12, 12)
            light = (rng.uniform(-0.9, 0.9), rng.uniform(0.4, 1.0), rng.uniform(0.2, 1.0))
            pixels = render(
                mesh, azimuth, rng.uniform(-8, 42), SIDE, 2, light,
                rng.uniform(0.02, 0.1), rng.uniform(0.3, 0.7),
            )  # fmt: skip
            self.add_picture(key, pixels)

    def content(self) -> bytes:
        """The part as an .npz file."""
        columns = ("pictures", "shapes", "parts", "mels")
        arrays = {name: np.stack(getattr(self, name)) for name in columns if getattr(self, name)}
        keys = {name: getattr(self, name) for name in ("picture_keys", "shape_keys", "mel_keys")}
        file = io.BytesIO()
        arrays["keys"] = np.frombuffer(json.dumps(keys).encode(), np.uint8)
        np.savez(file, allow_pickle=False, **arrays)
        return file.getvalue()


def load_part(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, list[str]]]:
    """The arrays and the keys of their rows."""
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files if name != "keys"}
        return arrays, json.loads(stored["keys"].tobytes())


def world_shapes(name: str, meshes: int) -> Part:
    part = Part()
    for seed in range(meshes):
        mesh, key = make_mesh(name, seed), f"world/{name}/{seed}"
        part.add_views(key, mesh, WORLD_VIEWS, seed)
        part.add_shape(key, sample_points(mesh, 2 * prepare.POINTS, seed))
    return part


def world_sounds(name: str, count: int) -> Part:
    part = Part()
    for seed in range(count):
        rng = np.random.default_rng(seed)
        samples = make_sound(name, seed, prepare.RATE_HZ)
        if seed % 2:
            samples = sounds.vary(samples, rng, np.zeros(0, np.float32))
        part.add_mel(f"world/{name}", prepare.sound(samples, prepare.RATE_HZ)[0])
    return part


def junk(start: int, count: int) -> Part:
    part = Part()
    for seed in range(start, start + count):
        mesh = make_junk_mesh(seed)
        part.add_views(f"junk/{seed}", mesh, JUNK_VIEWS, seed)
        part.add_shape(f"junk/{seed}", sample_points(mesh, 2 * prepare.POINTS, seed))
    return part


def real(items: list[Item], folder: Path) -> Part:
    """Views and points of models; a file that cannot be read or shown is left out."""
    part = Part()
    for place, item in enumerate(items):
        if item.icon:
            part.add_picture(item.key, _rgba((folder / item.icon).read_bytes()))
        try:
            mesh = load_mesh(folder / item.member)
        except UnisearchError:
            continue
        if isinstance(mesh, TriangleMesh):
            part.add_views(item.key, mesh, REAL_VIEWS, place)
            for seed in range(REAL_SHAPES):
                part.add_shape(item.key, sample_points(mesh, 2 * prepare.POINTS, seed))
    return part


def drawn(items: list[Item], folder: Path) -> Part:
    part = Part()
    with zipfile.ZipFile(folder / f"{items[0].kind}.zip") as archive:
        for item in items:
            part.add_picture(item.key, _rgba(archive.read(item.member)))
    return part


def _rgba(content: bytes) -> NDArray[np.uint8]:
    """uint8 (SIDE, SIDE, 4), its aspect kept; clear beside a picture that is not square."""
    with Image.open(io.BytesIO(content), formats=["PNG", "JPEG"]) as image:
        picture = image.convert("RGBA")
    picture.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    canvas = Image.new("RGBA", (SIDE, SIDE))
    canvas.paste(picture, ((SIDE - picture.width) // 2, (SIDE - picture.height) // 2))
    return np.asarray(canvas)


def takes(items: list[Item], folder: Path) -> Part:
    """The recording as it is, and other takes of it."""
    part = Part()
    whole = {item.key: sounds.decode(_content(folder, item)) for item in items}
    for place, (key, samples) in enumerate(whole.items()):
        if not len(samples):
            continue
        rng = np.random.default_rng(place)
        for mel in prepare.sound(samples, prepare.RATE_HZ)[:PIECES]:
            part.add_mel(key, mel)
        for _ in range(TAKES):
            other = list(whole.values())[int(rng.integers(len(whole)))]
            part.add_mel(key, prepare.mel(sounds.vary(prepare.strip(samples), rng, other)))
    return part


def _content(folder: Path, item: Item) -> bytes:
    with zipfile.ZipFile(folder / f"{item.kind}.zip") as archive:
        return archive.read(item.member)
