"""A sample library: models, pictures, sounds, captions and videos as people keep them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unisearch.errors import UnknownName
from unisearch.world.captions import make_caption
from unisearch.world.chance import Chance
from unisearch.world.concepts import CONCEPTS
from unisearch.world.files import (
    MESH_SUFFIXES,
    PICTURE_SUFFIXES,
    SOUND_SUFFIXES,
    VIDEO_SUFFIXES,
    companion,
    exists,
    write_mesh,
    write_picture,
    write_sound,
    write_text,
    write_video,
)
from unisearch.world.meshes import make_mesh
from unisearch.world.render import lay_on, render
from unisearch.world.sounds import make_sound

PICTURE_SIDE = 256
RATE_HZ = 16_000

#: subfolder, endings to choose from, and what a file is called that nobody named
_KINDS = {
    "models": (MESH_SUFFIXES, "model {:03d}"),
    "pictures": (PICTURE_SUFFIXES, "IMG_{:04d}"),
    "sounds": (SOUND_SUFFIXES, "recording {:03d}"),
    "captions": ((".txt",), "note {:03d}"),
    "videos": (VIDEO_SUFFIXES, "clip {:03d}"),
}
KINDS = tuple(_KINDS)
SOUNDING = ("sounds", "videos")
#: Pictures of a video: the camera goes a part of the way round.
VIEWS, WAY_DEG, VIDEO_SIDE = 6, 60.0, 128


@dataclass(frozen=True)
class Plan:
    """One file to be made."""

    path: Path
    kind: str
    concept: str
    seed: int


def make_library(
    folder: Path,
    *,
    concepts: Sequence[str] | None = None,
    per_concept: int = 1,
    seed: int = 0,
    kinds: Collection[str] = KINDS[:-1],
) -> list[Path]:
    """The paths of the media written: `per_concept` files of each kind for each concept.

    folder: gets a subfolder for each kind; silent concepts have neither sound nor video
    kinds: of KINDS: models, pictures, sounds and captions by default
    concepts: names from CONCEPTS, all of them by default
    The same arguments give the same files. A model and a picture of one concept show two
    different things of that kind. An OBJ file has its MTL file beside it, which is not in the list.
    Raises UnknownName, or UnisearchError when any of the files exists; then nothing is written.
    """
    names = list(CONCEPTS) if concepts is None else list(concepts)
    for name in names:
        if name not in CONCEPTS:
            raise UnknownName("concept", name, CONCEPTS)
    plans = [plan for plan in _plan(folder, names, per_concept, seed) if plan.kind in kinds]
    for path in _all_paths(plans):
        if path.exists():
            raise exists(path)
    for kind in kinds:
        (folder / kind).mkdir(parents=True, exist_ok=True)
    return [_WRITERS[plan.kind](plan) for plan in plans]


def _all_paths(plans: list[Plan]) -> Iterator[Path]:
    for plan in plans:
        yield plan.path
        beside = companion(plan.path)
        if beside is not None:
            yield beside


def _plan(folder: Path, names: list[str], per_concept: int, seed: int) -> Iterator[Plan]:
    """What will be written where. Most of the files tell in their names what they hold."""
    counts: Counter[tuple[str, str]] = Counter()
    for kind, (suffixes, unnamed) in _KINDS.items():
        for name in names:
            if kind in SOUNDING and not CONCEPTS[name].sounding:
                continue
            for i in range(per_concept):
                chance = Chance(f"library/{kind}", f"{name}/{i}", seed)
                called = chance.pick([name, name, chance.pick(CONCEPTS[name].synonyms), ""])
                counts[kind, called] += 1
                number = counts[kind, called]
                stem = f"{called} {number:02d}" if called else unnamed.format(number)
                path = folder / kind / (stem + chance.pick(suffixes))
                yield Plan(path, kind, name, chance.whole(0, 2**31))


def _write_model(plan: Plan) -> Path:
    return write_mesh(plan.path, make_mesh(plan.concept, plan.seed))


def _write_picture(plan: Plan) -> Path:
    chance = Chance("view", plan.concept, plan.seed)
    azimuth, elevation = chance.between(15, 65) * chance.pick([-1, 1]), chance.between(5, 30)
    rgba = render(make_mesh(plan.concept, plan.seed), azimuth, elevation, side=PICTURE_SIDE)
    return write_picture(plan.path, lay_on(rgba, plan.seed))


def _write_sound(plan: Plan) -> Path:
    return write_sound(plan.path, make_sound(plan.concept, plan.seed, RATE_HZ), RATE_HZ)


def _write_caption(plan: Plan) -> Path:
    return write_text(plan.path, make_caption(plan.concept, plan.seed))


def _write_video(plan: Plan) -> Path:
    """A camera goes round the thing while it sounds."""
    chance = Chance("way", plan.concept, plan.seed)
    start, elevation = chance.between(-60, 0), chance.between(5, 30)
    mesh = make_mesh(plan.concept, plan.seed)
    views = [
        lay_on(render(mesh, azimuth, elevation, side=VIDEO_SIDE), plan.seed)
        for azimuth in np.linspace(start, start + WAY_DEG, VIEWS)
    ]
    sound = make_sound(plan.concept, plan.seed, RATE_HZ)
    return write_video(plan.path, np.stack(views), sound, RATE_HZ)


_WRITERS: dict[str, Callable[[Plan], Path]] = {
    "models": _write_model,
    "pictures": _write_picture,
    "sounds": _write_sound,
    "captions": _write_caption,
    "videos": _write_video,
}
