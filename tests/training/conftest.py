"""A corpus of a few made files, in the form of the real one."""

from __future__ import annotations

import io
import os
import wave
import zipfile
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

NAMES = ("cow face", "dog", "red chair", "bell", "pine tree", "rocket", "apple", "axe")


def png(seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[16:48, 8:56] = [*rng.integers(0, 256, 3), 255]
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def wav(seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    samples = (8_000 * rng.standard_normal(6_000)).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16_000)
        sound.writeframes(samples.tobytes())
    return file.getvalue()


def box(seed: int, suffix: str) -> bytes:
    extents = np.random.default_rng(seed).uniform(0.2, 2.0, 3)
    content = trimesh.creation.box(extents).export(file_type=suffix)
    return content.encode() if isinstance(content, str) else bytes(content)


def put(folder: Path, kind: str, files: dict[str, bytes], table: list[str]) -> None:
    with zipfile.ZipFile(folder / f"{kind}.zip", "w") as archive:
        for name, content in files.items():
            archive.writestr(f"{kind}/{name}", content)
    if table:
        (folder / f"{kind}.tsv").write_text("\n".join(table) + "\n", "utf-8")


@pytest.fixture(scope="session")
def corpus_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    for kind in ("emoji", "emoji_flat"):
        rows = [f"{at}.png\t{name}\tthing|{name}" for at, name in enumerate(NAMES)]
        files = {f"{at}.png": png(at) for at in range(len(NAMES))}
        put(folder, kind, files, ["file\tname\tkeywords", *rows])
    models = {f"pack/{at}.glb": box(at, "glb") for at in range(8)}
    rows = [f"pack/{at}.glb\t{NAMES[at // 2]}\tpack" for at in range(8)]
    put(folder, "models", models, ["file\tname\tpack", *rows])
    furniture = {f"{at}/{at}.obj": box(at, "obj") for at in range(5)}
    furniture |= {f"{at}/icon.png": png(at) for at in range(5)}
    rows = [f"{at}/{at}.obj\t{at}/icon.png\tchair {at}\tOffice\tAn Author" for at in range(5)]
    put(folder, "furniture", furniture, ["model\ticon\tname\tcategory\tcreator", *rows])
    labels = ["cow moo", "cow moo", "dog bark", "church bells", "church bells"]
    rows = [f"{at}.wav\t{label}\tCC BY 3.0\tSomebody\thttps://example.org/{at}"
            for at, label in enumerate(labels)]  # fmt: skip
    recordings = {f"{at}.wav": wav(at) for at in range(5)}
    put(folder, "recordings", recordings, ["file\tlabel\tlicence\tauthor\tsource", *rows])
    put(folder, "sounds", {"drum_one.wav": wav(9)}, [])
    return folder


@pytest.fixture(scope="session")
def real_corpus() -> Path:
    """The corpus that the shipped weights were trained on; see docs/starter.md."""
    beside = Path(__file__).resolve().parents[3] / "shared"
    folder = Path(os.environ.get("UNISEARCH_SHARED", beside)) / "corpus"
    if not folder.is_dir():
        pytest.skip("the corpus is not here: set UNISEARCH_SHARED to the folder that holds it")
    return folder
