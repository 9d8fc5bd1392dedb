"""Files of the sizes that people have: 12-megapixel pictures, sounds of 30 s, models of 80,000
triangles, texts of some pages. Made of noise and seeded: what they show does not matter here."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import trimesh
from numpy.typing import NDArray
from PIL import Image

WIDTH, HEIGHT = 4_000, 3_000
SOUND_S, RATE_HZ = 30, 44_100
SUBDIVISIONS = 6  # of an icosahedron: 81,920 triangles
WORDS = 1_500
NAMES = ("the", "red", "old", "small", "stone", "river", "house", "bird", "runs", "sees", "near")

_SOUNDS = ((".mp3", "mp3", "mp3"), (".flac", "flac", "flac"), (".wav", "wav", "pcm_s16le"))
_MODELS = (".glb", ".glb", ".ply", ".obj")


def make_typical(folder: Path, count: int) -> Iterator[Path]:
    """`count` files of each kind, in folders by kind; those that are there are not made again."""
    makers: dict[str, Callable[[int], tuple[str, bytes]]] = {
        "image": pictures(), "audio": sounds(), "3d": models(), "text": text,
    }  # fmt: skip
    for kind, make in makers.items():
        place = folder / kind
        place.mkdir(parents=True, exist_ok=True)
        known = {path.stem: path for path in place.iterdir()}
        for number in range(count):
            name = f"{number:05d}"
            if name not in known:
                suffix, content = make(number)
                known[name] = place / f"{name}{suffix}"
                known[name].write_bytes(content)
            yield known[name]


def pictures() -> Callable[[int], tuple[str, bytes]]:
    """Sections of one large canvas of noise of every scale, as JPEG."""
    numbers = np.random.default_rng(1)
    canvas = np.zeros((HEIGHT + 800, WIDTH + 1_200, 3), np.float32)
    for cells in (4, 16, 64, 256, 1_024):
        small = numbers.integers(0, 256, (cells, cells, 3), np.uint8)
        layer = Image.fromarray(small).resize(canvas.shape[1::-1], Image.Resampling.BICUBIC)
        canvas += np.asarray(layer, np.float32) / cells**0.5
    canvas *= 220 / canvas.max()
    canvas += numbers.normal(16, 5, canvas.shape).astype(np.float32)  # the grain of a sensor
    canvas = canvas.clip(0, 255).astype(np.uint8)

    def make(number: int) -> tuple[str, bytes]:
        chance = np.random.default_rng(number)
        x, y = chance.integers(0, 1_200), chance.integers(0, 800)
        section = np.roll(canvas[y : y + HEIGHT, x : x + WIDTH], chance.integers(0, 3), axis=2)
        out = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(section)).save(out, "JPEG", quality=88)
        return ".jpg", out.getvalue()

    return make


def sounds() -> Callable[[int], tuple[str, bytes]]:
    """Half a minute of tones and noise in stereo, in three formats in turn."""
    seconds = np.arange(SOUND_S * RATE_HZ, dtype=np.float32) / RATE_HZ

    def make(number: int) -> tuple[str, bytes]:
        chance = np.random.default_rng(number)
        tones = chance.uniform(80, 4_000, 3).astype(np.float32)
        wave = sum(np.sin(2 * np.pi * tone * seconds) for tone in tones) / 4
        wave = wave + chance.standard_normal(len(seconds), np.float32) / 20
        suffix, container, codec = _SOUNDS[number % len(_SOUNDS)]
        pcm = (np.clip(np.stack([wave, wave[::-1]], 1), -1, 1) * 32_767).astype(np.int16)
        return suffix, _encoded(pcm, container, codec)

    return make


def _encoded(pcm: NDArray[np.int16], container: str, codec: str) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream = file.add_stream(codec, rate=RATE_HZ, layout="stereo")
        frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate = RATE_HZ
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return out.getvalue()


def models() -> Callable[[int], tuple[str, bytes]]:
    """Spheres with bumps and coloured vertices, in three formats in turn."""
    sphere = trimesh.creation.icosphere(SUBDIVISIONS)

    def make(number: int) -> tuple[str, bytes]:
        chance = np.random.default_rng(number)
        waves = chance.uniform(-6, 6, (3, 4))
        bumps = 1 + 0.1 * np.sin(sphere.vertices @ waves + chance.uniform(0, 6, 4)).sum(axis=1)
        mesh = trimesh.Trimesh(sphere.vertices * bumps[:, None], sphere.faces, process=False)
        shade = (255 * (bumps - bumps.min()) / np.ptp(bumps)).astype(np.uint8)
        tint = chance.integers(0, 256, len(shade), np.uint8)
        mesh.visual.vertex_colors = np.stack([shade, 255 - shade, tint], axis=1)
        suffix = _MODELS[number % len(_MODELS)]
        content = mesh.export(file_type=suffix[1:])
        return suffix, content.encode() if isinstance(content, str) else content

    return make


def text(number: int) -> tuple[str, bytes]:
    """A few pages of sentences."""
    chance = np.random.default_rng(number)
    words = [NAMES[place] for place in chance.integers(0, len(NAMES), WORDS)]
    lines = (" ".join(words[at : at + 12]).capitalize() + "." for at in range(0, WORDS, 12))
    return ".md", "\n\n".join(lines).encode()
