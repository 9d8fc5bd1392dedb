"""The training pool: pictures, shapes and sounds made once, as arrays of the network's size.

Parts are made by two processes and kept in a cache folder, one file each; a run that was stopped
goes on with the parts that are missing.
"""

from __future__ import annotations

import hashlib
import io
import json
import multiprocessing
import os
import zipfile
from collections.abc import Callable, Iterator
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
from unisearch.training.corpus import Corpus, Item, Kind, unpack
from unisearch.training.split import Split
from unisearch.world.concepts import CONCEPTS, SOUNDING
from unisearch.world.meshes import make_junk_mesh, make_mesh
from unisearch.world.render import render
from unisearch.world.sounds import make_sound

#: Raise it when the making of a part changes.
VERSION = 1
SIDE = 96  # px: a little more than the network sees, as training zooms in
WORLD_MESHES, WORLD_VIEWS, WORLD_SOUNDS = 64, 3, 40
JUNK, JUNK_VIEWS = 800, 3
REAL_VIEWS, REAL_SHAPES = 12, 4
TAKES = 14
CHUNK = 32  # items in one part
#: Where training looks up nothing: evaluation makes its world from seeds at and above this.
HELD_SEED = 1_000_000


@dataclass(frozen=True)
class Sizes:
    """How much of the world is made; tests make less."""

    meshes: int = WORLD_MESHES
    sounds: int = WORLD_SOUNDS
    junk: int = JUNK
    concepts: tuple[str, ...] = tuple(CONCEPTS)


@dataclass(frozen=True)
class Task:
    """One part: a file name, the function that makes it and what it is given."""

    name: str
    make: Callable[..., Part]
    arguments: tuple[Any, ...]


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


def build_pool(
    corpus: Corpus, split: Split, cache: Path, sizes: Sizes, progress: Callable[[str], None]
) -> list[Path]:
    """The files of all parts, made where they are missing; nothing kept aside enters them."""
    tasks = list(_tasks(corpus, split, cache, sizes))
    folder = cache / "pool"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{task.name}.npz" for task in tasks]
    missing = [pair for pair in zip(tasks, paths, strict=True) if not pair[1].exists()]
    progress(f"pool: {len(tasks) - len(missing)} of {len(tasks)} parts are there")
    workers = min(2, os.cpu_count() or 1)
    if len(missing) < 4:
        done: Iterator[str] = map(_make, missing)
        _follow(done, len(missing), progress)
    else:
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            _follow(pool.imap_unordered(_make, missing), len(missing), progress)
    return paths


def _follow(done: Iterator[str], total: int, progress: Callable[[str], None]) -> None:
    for count, name in enumerate(done, start=1):
        if count % 20 == 0 or count == total:
            progress(f"pool: {count} of {total} made, last {name}")


def _make(pair: tuple[Task, Path]) -> str:
    """Makes one part and puts it into its place in one step."""
    task, path = pair
    part = task.make(*task.arguments)
    columns = ("pictures", "shapes", "parts", "mels")
    arrays = {name: np.stack(getattr(part, name)) for name in columns if getattr(part, name)}
    keys = {name: getattr(part, name) for name in ("picture_keys", "shape_keys", "mel_keys")}
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("wb") as file:
        arrays["keys"] = np.frombuffer(json.dumps(keys).encode(), np.uint8)
        np.savez(file, allow_pickle=False, **arrays)
    unfinished.replace(path)
    return task.name


def load_part(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, list[str]]]:
    """The arrays and the keys of their rows."""
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files if name != "keys"}
        return arrays, json.loads(stored["keys"].tobytes())


def _tasks(corpus: Corpus, split: Split, cache: Path, sizes: Sizes) -> Iterator[Task]:
    for name in sizes.concepts:
        label = f"v{VERSION}-world-{name.replace(' ', '_')}-{sizes.meshes}"
        yield Task(label, _world_shapes, (name, sizes.meshes))
        if name in SOUNDING:
            label = f"v{VERSION}-heard-{name.replace(' ', '_')}-{sizes.sounds}"
            yield Task(label, _world_sounds, (name, sizes.sounds))
    for start in range(0, sizes.junk, 100):
        yield Task(f"v{VERSION}-junk-{start}", _junk, (start, min(100, sizes.junk - start)))
    solid: tuple[Kind, ...] = ("furniture", "models", "fbx")
    drawn: tuple[Kind, ...] = ("emoji", "emoji_flat")
    for kind in solid:
        items = split.trained(corpus.of(kind))
        if items:
            folder = unpack(corpus.folder, items[0].kind, cache / "files")
            yield from _chunks(f"v{VERSION}-{kind}", items, _real, folder)
    for kind in drawn:
        items = split.trained(corpus.of(kind))
        yield from _chunks(f"v{VERSION}-{kind}", items, _drawn, corpus.folder)
    items = split.trained(corpus.of("recordings", "sounds"))
    yield from _chunks(f"v{VERSION}-takes", items, _takes, corpus.folder)


def _chunks(
    name: str, items: list[Item], make: Callable[..., Part], folder: Path
) -> Iterator[Task]:
    """A part's name holds a digest of its items: another split makes other parts."""
    for start in range(0, len(items), CHUNK):
        chunk = items[start : start + CHUNK]
        digest = hashlib.sha256("\n".join(item.key for item in chunk).encode()).hexdigest()[:10]
        yield Task(f"{name}-{start}-{digest}", make, (chunk, folder))


def _world_shapes(name: str, meshes: int) -> Part:
    part = Part()
    for seed in range(meshes):
        mesh, key = make_mesh(name, seed), f"world/{name}/{seed}"
        part.add_views(key, mesh, WORLD_VIEWS, seed)
        part.add_shape(key, sample_points(mesh, 2 * prepare.POINTS, seed))
    return part


def _world_sounds(name: str, count: int) -> Part:
    part = Part()
    for seed in range(count):
        rng = np.random.default_rng(seed)
        samples = make_sound(name, seed, prepare.RATE_HZ)
        if seed % 2:
            samples = sounds.vary(samples, rng, np.zeros(0, np.float32))
        part.add_mel(f"world/{name}", prepare.sound(samples, prepare.RATE_HZ)[0])
    return part


def _junk(start: int, count: int) -> Part:
    part = Part()
    for seed in range(start, start + count):
        mesh = make_junk_mesh(seed)
        part.add_views(f"junk/{seed}", mesh, JUNK_VIEWS, seed)
        part.add_shape(f"junk/{seed}", sample_points(mesh, 2 * prepare.POINTS, seed))
    return part


def _real(items: list[Item], folder: Path) -> Part:
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


def _drawn(items: list[Item], folder: Path) -> Part:
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


def _takes(items: list[Item], folder: Path) -> Part:
    """The recording as it is, and other takes of it."""
    part = Part()
    whole = {item.key: sounds.decode(_content(folder, item)) for item in items}
    for place, (key, samples) in enumerate(whole.items()):
        if not len(samples):
            continue
        rng = np.random.default_rng(place)
        for mel in prepare.sound(samples, prepare.RATE_HZ)[:3]:
            part.add_mel(key, mel)
        for _ in range(TAKES):
            other = list(whole.values())[int(rng.integers(len(whole)))]
            part.add_mel(key, prepare.mel(sounds.vary(prepare.strip(samples), rng, other)))
    return part


def _content(folder: Path, item: Item) -> bytes:
    with zipfile.ZipFile(folder / f"{item.kind}.zip") as archive:
        return archive.read(item.member)
