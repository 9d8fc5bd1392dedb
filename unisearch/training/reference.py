"""The background of a space that brings none: varied things of the sample world, encoded once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from unisearch.media.mesh import sample_points
from unisearch.records import AudioSample, ImageSample, Modality, Sample, TextSample, seen_as
from unisearch.spaces.base import Space
from unisearch.training.disk import check_room, put
from unisearch.world.captions import make_caption
from unisearch.world.chance import Chance
from unisearch.world.concepts import CONCEPTS, SOUNDING
from unisearch.world.meshes import make_mesh
from unisearch.world.render import lay_on, render
from unisearch.world.sounds import make_sound

logger = logging.getLogger(__name__)

Tell = Callable[[str], object]

ROWS = 512
#: Where a network runs several times for a sample, ROWS runs should do, but for no fewer rows.
LEAST_ROWS = 128
#: Larger pictures would cost more to draw than most networks take to see them.
PICTURE_SIDE = 224
#: Of no sample library, exam or training: nothing of the background is in what is searched.
FIRST_SEED = 3_000_000
#: Samples between two lines of progress.
CHUNK = 16


def make_reference(space: Space, folder: Path, tell: Tell) -> Path:
    """Writes FOLDER/NAME, float32 unit rows (ROWS, dim) by modality, in one step.

    The same weights give the same rows: nothing is drawn but by seeds. A video is seen as an image.
    tell: called with a line of progress after each CHUNK; what it raises ends the work, and
        nothing is written
    Raises UnisearchError when the folder cannot be written, before anything is encoded.
    """
    seen = tuple(dict.fromkeys(seen_as(modality) for modality in space.modalities))
    file = folder / space.reference_name
    check_room(folder, 8 * ROWS * space.dim * len(seen))
    logger.info("making the background of the space '%s' once", space.name)
    rows: dict[str, NDArray[np.float32]] = {}
    for modality in seen:
        rows |= _encoded(space, modality, tell)
    put(file, save(rows))
    return file


def _encoded(space: Space, modality: Modality, tell: Tell) -> dict[str, NDArray[np.float32]]:
    """Unit rows (ROWS or fewer, dim) of that modality, by the names that the space stores."""
    count = max(ROWS // space.passes(modality), min(ROWS, LEAST_ROWS))
    samples = islice(varied(modality, space.audio_rate_hz, space.points), count)
    parts = []
    for start in range(0, count, CHUNK):
        tell(f"making the background of {space.name} once: {modality} {start} of {count}")
        parts.append(space.reference_rows(modality, list(islice(samples, CHUNK))))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def varied(modality: Modality, rate_hz: int, points: int) -> Iterator[Sample]:
    """Things of the world without end: first one of each concept, then a second one, and so on."""
    texts: set[str] = set()
    for name, seed in _instances(modality):
        if modality == "text":
            text = make_caption(name, seed)
            if text not in texts:
                yield TextSample(text)
            texts.add(text)
        elif modality == "audio":
            yield AudioSample(make_sound(name, seed, rate_hz), rate_hz)
        elif modality == "3d":
            yield sample_points(make_mesh(name, seed), points, seed)
        else:
            yield ImageSample(_picture(name, seed))


def _instances(modality: Modality) -> Iterator[tuple[str, int]]:
    names = SOUNDING if modality == "audio" else tuple(CONCEPTS)
    seed = FIRST_SEED
    while True:
        yield from ((name, seed) for name in names)
        seed += 1


def _picture(name: str, seed: int) -> NDArray[np.uint8]:
    """uint8 (side, side, 3): from any side, a little from above, on a plain ground."""
    chance = Chance("background view", name, seed)
    azimuth, elevation = chance.between(-180, 180), chance.between(-5, 40)
    view = render(make_mesh(name, seed), azimuth, elevation, side=PICTURE_SIDE)
    return lay_on(view, chance.whole(0, 2**31))
