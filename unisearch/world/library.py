"""A sample library: a folder of models, pictures, sounds and captions as people keep them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from unisearch.errors import UnknownName
from unisearch.world.captions import make_caption
from unisearch.world.chance import Chance
from unisearch.world.concepts import CONCEPTS
from unisearch.world.files import (
    MESH_SUFFIXES,
    PICTURE_SUFFIXES,
    SOUND_SUFFIXES,
    companion,
    exists,
    write_mesh,
    write_picture,
    write_sound,
    write_text,
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
}


@dataclass(frozen=True)
class Plan:
    """One file to be made."""

    path: Path
    kind: str
    concept: str
    seed: int


def make_library(
    folder: Path, *, concepts: Sequence[str] | None = None, per_concept: int = 1, seed: int = 0
) -> list[Path]:
    """The paths of the media written: `per_concept` files of each kind for each concept.

    folder: gets the subfolders models, pictures, sounds and captions; silent concepts have no sound
    concepts: names from CONCEPTS, all of them by default
    The same arguments give the same files. A model and a picture of one concept show two
    different things of that kind. An OBJ file has its MTL file beside it, which is not in the list.
    Raises UnknownName, or UnisearchError when any of the files exists; then nothing is written.
    """
    names = list(CONCEPTS) if concepts is None else list(concepts)
    for name in names:
        if name not in CONCEPTS:
            raise UnknownName("concept", name, CONCEPTS)
    plans = list(_plan(folder, names, per_concept, seed))
    for path in _all_paths(plans):
        if path.exists():
            raise exists(path)
    for kind in _KINDS:
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
            if kind == "sounds" and not CONCEPTS[name].sounding:
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


_WRITERS: dict[str, Callable[[Plan], Path]] = {
    "models": _write_model,
    "pictures": _write_picture,
    "sounds": _write_sound,
    "captions": _write_caption,
}
