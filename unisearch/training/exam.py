"""The questions that a space is measured by: samples kept aside, and what answers are right."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from unisearch.errors import UnisearchError
from unisearch.media.mesh import load_mesh, sample_points
from unisearch.records import (
    AudioSample,
    ImageSample,
    PointSample,
    Prepared,
    Sample,
    TextSample,
    TriangleMesh,
)
from unisearch.training import baseline, sounds
from unisearch.training.corpus import Corpus, Item, unpack
from unisearch.training.meaning import Meanings, tidy
from unisearch.training.pool import HELD_SEED
from unisearch.training.split import Split
from unisearch.world.captions import make_caption
from unisearch.world.concepts import CONCEPTS, SOUNDING
from unisearch.world.meshes import make_mesh
from unisearch.world.render import render
from unisearch.world.sounds import make_sound

INSTANCES = 8
POINTS = 4_096
RATE_HZ = 16_000
GREY = 128

Bools = NDArray[np.bool_]
Prepare = Callable[[Sample], Prepared]


@dataclass
class Pile:
    """Samples of one kind, ready to encode.

    names: what each is; aside: whether training never saw it; looks: of the baseline, or none
    """

    samples: list[Prepared] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    aside: list[bool] = field(default_factory=list)
    looks: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, sample: Prepared, name: str, aside: bool = True) -> None:
        self.samples.append(sample)
        self.names.append(name)
        self.aside.append(aside)


@dataclass(frozen=True)
class Question:
    """Queries from one pile (by place), a gallery of places in others, and the right answers.

    rows of right and neutral are queries, columns the gallery; world: one of the 12 pairs
    """

    task: str
    queries: list[tuple[str, int]]
    gallery: list[tuple[str, int]]
    right: Bools
    neutral: Bools
    world: bool = False


@dataclass
class Exam:
    """Piles by name, and the questions over them."""

    piles: dict[str, Pile]
    questions: list[Question]


def make_exam(
    corpus: Corpus | None,
    split: Split | None,
    cache: Path,
    prepare: Prepare,
    progress: Callable[[str], None],
    concepts: Sequence[str] = tuple(CONCEPTS),
) -> Exam:
    """The world's part, and the corpus's part when there is a corpus."""
    progress("exam: making the held-out world")
    exam = Exam(_world_piles(concepts, prepare), [])
    exam.questions += _world_questions(exam.piles)
    if corpus is not None and split is not None:
        progress("exam: reading what was kept aside")
        trained = [item.concept or item.name for item in split.trained(corpus.items)]
        reader = _Reader(corpus, split, cache, prepare, Meanings(trained))
        exam.piles.update(reader.piles())
        exam.questions += reader.questions(exam.piles)
    return exam


def _world_piles(concepts: Sequence[str], prepare: Prepare) -> dict[str, Pile]:
    piles = {modality: Pile() for modality in ("image", "audio", "3d", "text")}
    for name in concepts:
        for instance in range(INSTANCES):
            seed = HELD_SEED + instance
            mesh = make_mesh(name, seed)
            view = render(mesh, 30 + 45 * instance, 8 + 4 * (instance % 5), side=192)
            points = sample_points(mesh, POINTS, seed)
            piles["image"].add(prepare(ImageSample(on_grey(view))), name)
            piles["image"].looks.append(baseline.describe_picture(view))
            piles["3d"].add(prepare(points), name)
            piles["3d"].looks.append(baseline.describe_shape(points))
            piles["text"].add(prepare(TextSample(make_caption(name, seed))), name)
            if name in SOUNDING:
                heard = AudioSample(make_sound(name, seed, RATE_HZ), RATE_HZ)
                piles["audio"].add(prepare(heard), name)
    return {f"world {modality}": pile for modality, pile in piles.items()}


def _world_questions(piles: dict[str, Pile]) -> list[Question]:
    """All 12 pairs; a query whose concept has nothing in the gallery is not asked."""
    questions = []
    for first in ("image", "audio", "3d", "text"):
        for second in ("image", "audio", "3d", "text"):
            if first != second:
                asked, given = f"world {first}", f"world {second}"
                question = by_name(f"{first} → {second}", piles, asked, given)
                if question is not None:
                    questions.append(question)
    return questions


def by_name(task: str, piles: dict[str, Pile], asked: str, given: str) -> Question | None:
    """Every sample of one pile against all of another; right is what has the same name."""
    wanted, found = np.array(piles[asked].names), np.array(piles[given].names)
    if not len(wanted) or not len(found):
        return None
    right = wanted[:, None] == found[None]
    kept = np.flatnonzero(right.any(axis=1))
    if not len(kept):
        return None
    return Question(
        task, [(asked, int(place)) for place in kept], [(given, at) for at in range(len(found))],
        right[kept], np.zeros_like(right[kept]), world=True,
    )  # fmt: skip


def on_grey(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 (h, w, 3): as readers lay transparent pictures."""
    alpha = rgba[..., 3:].astype(np.float32) / 255
    return np.round(rgba[..., :3] * alpha + GREY * (1 - alpha)).astype(np.uint8)


class _Reader:
    """Reads the corpus's items for the exam and asks about those kept aside."""

    def __init__(
        self, corpus: Corpus, split: Split, cache: Path, prepare: Prepare, meanings: Meanings
    ) -> None:
        self._corpus, self._split, self._cache = corpus, split, cache
        self._prepare, self._meanings = prepare, meanings

    def piles(self) -> dict[str, Pile]:
        piles = {name: Pile() for name in (
            "furniture 3d", "furniture icon", "models 3d", "models view", "emoji", "recordings"
        )}  # fmt: skip
        self._furniture(piles)
        self._models(piles)
        self._emoji(piles["emoji"])
        self._recordings(piles["recordings"])
        return piles

    def _aside(self, item: Item) -> bool:
        return item.key in self._split.aside

    def _furniture(self, piles: dict[str, Pile]) -> None:
        items = self._corpus.of("furniture")
        folder = unpack(self._corpus.folder, "furniture", self._cache) if items else Path()
        for item in items:
            sample = self._points(folder / item.member)
            if sample is None:
                continue
            name, aside = tidy(item.name), self._aside(item)
            icon = _picture((folder / item.icon).read_bytes())
            piles["furniture 3d"].add(self._prepare(sample), name, aside)
            piles["furniture 3d"].looks.append(baseline.describe_shape(sample))
            piles["furniture icon"].add(self._prepare(ImageSample(on_grey(icon))), name, aside)
            piles["furniture icon"].looks.append(baseline.describe_picture(icon))

    def _models(self, piles: dict[str, Pile]) -> None:
        """A view of every model; only those kept aside become queries."""
        items = self._corpus.of("models")
        folder = unpack(self._corpus.folder, "models", self._cache) if items else Path()
        for place, item in enumerate(items):
            mesh = _mesh(folder / item.member)
            if mesh is None:
                continue
            name, aside = tidy(item.name), self._aside(item)
            sample = sample_points(mesh, POINTS)
            view = render(mesh, (47 * place) % 360, 18, side=192)
            piles["models 3d"].add(self._prepare(sample), name, aside)
            piles["models 3d"].looks.append(baseline.describe_shape(sample))
            piles["models view"].add(self._prepare(ImageSample(on_grey(view))), name, aside)
            piles["models view"].looks.append(baseline.describe_picture(view))

    def _emoji(self, pile: Pile) -> None:
        for kind in ("emoji", "emoji_flat"):
            items = self._corpus.of(kind)
            if not items:
                continue
            with zipfile.ZipFile(self._corpus.folder / f"{kind}.zip") as archive:
                for item in items:
                    pixels = on_grey(_picture(archive.read(item.member)))
                    pile.add(self._prepare(ImageSample(pixels)), tidy(item.name), self._aside(item))

    def _recordings(self, pile: Pile) -> None:
        items = self._corpus.of("recordings")
        if not items:
            return
        with zipfile.ZipFile(self._corpus.folder / "recordings.zip") as archive:
            for item in items:
                samples = sounds.decode(archive.read(item.member))[: 10 * RATE_HZ]
                prepared = self._prepare(AudioSample(samples, RATE_HZ))
                pile.add(prepared, self._meanings.canonical(item.concept), self._aside(item))

    def _points(self, path: Path) -> PointSample | None:
        mesh = _mesh(path)
        return None if mesh is None else sample_points(mesh, POINTS)

    def questions(self, piles: dict[str, Pile]) -> list[Question]:
        asked = [
            instances("furniture icon → 3D", piles, "furniture icon", "furniture 3d"),
            instances("furniture 3D → icon", piles, "furniture 3d", "furniture icon"),
            self._names("furniture name → 3D", piles, "furniture 3d"),
            instances("model view → 3D", piles, "models view", "models 3d"),
            self._names("model name → 3D", piles, "models 3d"),
            self._names("name → emoji", piles, "emoji"),
            self._names("name → emoji, only kept aside", piles, "emoji", trained=False),
            self._names("word → recording", piles, "recordings"),
            self._names("word → recording, only kept aside", piles, "recordings", trained=False),
            self._across("recording → picture", piles, ("world image", "emoji")),
            self._across("recording → 3D", piles, ("world 3d", "models 3d", "furniture 3d")),
        ]
        return [question for question in asked if question is not None]

    def _names(
        self, task: str, piles: dict[str, Pile], given: str, trained: bool = True
    ) -> Question | None:
        """The names of what was kept aside; trained things of the name count neither way."""
        pile = piles[given]
        names = sorted({name for name, aside in zip(pile.names, pile.aside, strict=True) if aside})
        words = Pile()
        for name in names:
            words.add(self._prepare(TextSample(name)), name)
        piles[f"words of {given}"] = words
        gallery = [at for at, aside in enumerate(pile.aside) if aside or trained]
        found, aside = np.array(pile.names)[gallery], np.array(pile.aside, bool)[gallery]
        if not names:
            return None
        same = np.array(names)[:, None] == found[None]
        queries = [(f"words of {given}", at) for at in range(len(names))]
        places = [(given, at) for at in gallery]
        return Question(task, queries, places, same & aside, same & ~aside)

    def _across(self, task: str, piles: dict[str, Pile], given: Sequence[str]) -> Question | None:
        """Recordings kept aside against things that were kept aside, by what they are of."""
        heard = piles["recordings"]
        queries = [at for at, aside in enumerate(heard.aside) if aside]
        gallery = [
            (name, at) for name in given for at, aside in enumerate(piles[name].aside) if aside
        ]
        found = [self._meanings.canonical(piles[name].names[at]) for name, at in gallery]
        wanted = np.array(heard.names)[queries]
        right = wanted[:, None] == np.array(found)[None]
        kept = right.any(axis=1)
        if not kept.any():
            return None
        asked = [("recordings", at) for at, use in zip(queries, kept, strict=True) if use]
        return Question(task, asked, gallery, right[kept], np.zeros_like(right[kept]))


def instances(task: str, piles: dict[str, Pile], asked: str, given: str) -> Question | None:
    """What was kept aside against all of another pile in the same order.

    Right is the thing itself; trained things of the same name count neither way.
    """
    pile = piles[asked]
    aside = np.array(pile.aside, bool)
    queries = np.flatnonzero(aside)
    if not len(queries):
        return None
    names = np.array(pile.names)
    right = queries[:, None] == np.arange(len(names))[None]
    neutral = (names[queries][:, None] == names[None]) & ~aside[None]
    return Question(
        task, [(asked, int(at)) for at in queries], [(given, at) for at in range(len(names))],
        right, neutral,
    )  # fmt: skip


def _mesh(path: Path) -> TriangleMesh | None:
    try:
        mesh = load_mesh(path)
    except UnisearchError:
        return None
    return mesh if isinstance(mesh, TriangleMesh) else None


def _picture(content: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(content), formats=["PNG", "JPEG"]) as image:
        return np.asarray(image.convert("RGBA"))
