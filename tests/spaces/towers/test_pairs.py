"""CLIP and SigLIP 2 compute what transformers computes, from the files of a local folder alone."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file, save_file
from torch.nn.functional import normalize
from transformers import CLIPModel, CLIPTokenizer, SiglipModel
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.siglip2.tokenization_siglip2 import Siglip2Tokenizer
from transformers.utils import logging as transformers_logging

from tests.spaces.tiny import manifest, tiny_models
from unisearch.errors import WeightsError
from unisearch.records import ImageSample, TextSample
from unisearch.spaces.towers.clip import ClipTower
from unisearch.spaces.towers.pair import PairTower
from unisearch.spaces.towers.pictures import Crop, Squeeze
from unisearch.spaces.towers.siglip import SiglipTower

KINDS: dict[str, tuple[type[PairTower], Any, Any, Any]] = {
    "clip-vit-b-32": (ClipTower, CLIPModel, CLIPImageProcessorPil, CLIPTokenizer),
    "siglip2-base": (SiglipTower, SiglipModel, SiglipImageProcessorPil, Siglip2Tokenizer),
}
TEXTS = ["A red chair", "thunder!", "", "don't STOP   now", "ein Stuhl, naïve: 椅子"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return tiny_models(tmp_path_factory.mktemp("models"), list(KINDS))


@pytest.fixture(params=sorted(KINDS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def folder(name: str, models: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of a model's folder, to be changed."""
    return Path(shutil.copytree(models[name], tmp_path / name))


@pytest.fixture
def tower(name: str, models: dict[str, Path]) -> PairTower:
    return KINDS[name][0](models[name])


def scene(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """A picture with fine and coarse detail."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (5, 5, 3)).astype(np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)).astype(float)
    return (0.8 * smooth + 50 * rng.random((height, width, 1))).clip(0, 255).astype(np.uint8)


def rows_of(tower: PairTower, texts: list[str]) -> torch.Tensor:
    return tower.encode("text", [tower.preparer("text")(TextSample(text)) for text in texts])


def test_a_network_is_opened_without_a_word_of_its_package(name: str, folder: Path) -> None:
    said: list[str] = []
    listener = logging.Handler()
    listener.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    package = logging.getLogger("transformers")
    package.addHandler(listener)
    transformers_logging.warning_once.cache_clear()  # type: ignore[attr-defined]
    try:
        KINDS[name][0](folder)
    finally:
        package.removeHandler(listener)

    assert said == []


@pytest.mark.parametrize("size", [(224, 224), (480, 640), (333, 501), (1000, 31), (90, 70)])
def test_a_cropped_picture_is_the_official_one(size: tuple[int, int]) -> None:
    pixels = scene(*size)

    ours = Crop(224)(ImageSample(pixels)).astype(float)

    official = CLIPImageProcessorPil(do_normalize=False, do_rescale=False)(Image.fromarray(pixels))
    theirs = np.moveaxis(np.asarray(official["pixel_values"][0], float), 0, 2)
    assert np.abs(ours - theirs).max() <= 1


@pytest.mark.parametrize("size", [(224, 224), (480, 640), (1000, 31), (90, 70)])
def test_a_squeezed_picture_is_the_official_one(size: tuple[int, int]) -> None:
    pixels = scene(*size)

    ours = Squeeze(224, resample=2)(ImageSample(pixels)).astype(float)

    options = {"do_normalize": False, "do_rescale": False, "resample": 2}
    official = SiglipImageProcessorPil(**options)(Image.fromarray(pixels))
    theirs = np.moveaxis(np.asarray(official["pixel_values"][0], float), 0, 2)
    assert np.abs(ours - theirs).max() <= 1


def test_a_strip_of_a_picture_takes_no_memory_for_what_is_cut_away() -> None:
    strip = np.repeat(scene(1, 60_000), 2, axis=0)

    middle = Crop(224)(ImageSample(strip))  # the whole strip would be 224 x 6,720,000 px

    assert middle.shape == (224, 224, 3)


def test_pictures_get_the_vectors_of_the_official_pipeline(
    name: str, models: dict[str, Path], tower: PairTower
) -> None:
    pictures = [scene(48, 64, seed) for seed in range(3)]
    _, network_class, processor_class, _ = KINDS[name]

    prepare = tower.preparer("image")
    ours = tower.encode("image", [prepare(ImageSample(pixels)) for pixels in pictures])

    processor = processor_class.from_pretrained(models[name], local_files_only=True)
    network = network_class.from_pretrained(models[name], local_files_only=True).eval()
    pixels = processor([Image.fromarray(one) for one in pictures], return_tensors="pt")
    with torch.inference_mode():
        theirs = normalize(network.get_image_features(**pixels).pooler_output, dim=-1)
    assert ours.shape == (3, tower.dim)
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_texts_get_the_vectors_of_the_official_pipeline(
    name: str, models: dict[str, Path], tower: PairTower
) -> None:
    _, network_class, _, tokenizer_class = KINDS[name]
    texts = TEXTS if name.startswith("clip") else [text[:9] for text in TEXTS]

    ours = rows_of(tower, texts)

    tokenizer = tokenizer_class.from_pretrained(models[name], local_files_only=True)
    network = network_class.from_pretrained(models[name], local_files_only=True).eval()
    if name.startswith("clip"):
        inputs = tokenizer(texts, padding=True, return_tensors="pt")
    else:
        # As it was trained: the end after the words, padding behind it up to the context.
        ids = [[*tokenizer(text, add_special_tokens=False).input_ids, 1] for text in texts]
        inputs = {"input_ids": torch.tensor([row + [0] * (16 - len(row)) for row in ids])}
    with torch.inference_mode():
        theirs = normalize(network.get_text_features(**inputs).pooler_output, dim=-1)
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_the_end_of_a_long_text_counts(tower: PairTower) -> None:
    long = "a red chair beside the window " * 5

    cat, cats, elephant = rows_of(tower, [long + end for end in ("a cat", "a cat", "elephants")])

    assert float(cat @ cats) == pytest.approx(1.0, abs=1e-6)
    assert float(cat @ elephant) < 0.9999


def test_a_mark_written_in_a_text_does_not_end_it(name: str, tower: PairTower) -> None:
    mark = "<|endoftext|>" if name.startswith("clip") else "<eos>"

    first, second = rows_of(tower, [f"{mark} cat", f"{mark} dog"])

    assert float(first @ second) < 0.9999


def test_a_buffer_that_older_files_store_does_no_harm(name: str, folder: Path) -> None:
    state = load_file(folder / "model.safetensors")
    state["text_model.embeddings.position_ids"] = torch.arange(77)[None]
    save_file(state, folder / "model.safetensors")

    again = KINDS[name][0](folder)

    assert torch.allclose(rows_of(again, ["a"]).norm(), torch.ones(()))


def rewrite(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    stored = json.loads(file.read_text("utf-8"))
    change(stored)
    file.write_text(json.dumps(stored), "utf-8")


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("config.json", None, "config.json is not there"),
        ("config.json", "{", "config.json is no file of settings"),
        ("config.json", '{"model_type": "blip"}', "is of a model of the kind 'blip', not '"),
        ("tokenizer.json", None, "tokenizer.json is not there"),
        ("tokenizer.json", "{}", "tokenizer.json is no vocabulary"),
        ("preprocessor_config.json", "{}", "says not how pictures are prepared: 'size'"),
        ("model.safetensors", "PK\x03\x04", "is cut off or no safetensors file"),
        ("manifest.json", "{}", "manifest.json names no files"),
    ],
)
def test_a_damaged_file_is_one_line(
    name: str, folder: Path, file: str, text: str | None, says: str
) -> None:
    (folder / file).unlink()
    if text is not None:
        (folder / file).write_text(text, "utf-8")

    with pytest.raises(WeightsError) as raised:
        KINDS[name][0](folder)

    assert says in str(raised.value)
    assert "\n" not in str(raised.value)
    assert str(folder) in str(raised.value)


def test_weights_of_another_size_are_one_line(name: str, folder: Path) -> None:
    rewrite(folder / "config.json", lambda stored: stored["text_config"].update(vocab_size=99))

    with pytest.raises(WeightsError, match=r"token_embedding.weight' as .*another size"):
        KINDS[name][0](folder)


def test_settings_that_contradict_each_other_are_one_line(name: str, folder: Path) -> None:
    square = {"height": 64, "width": 64}
    rewrite(
        folder / "preprocessor_config.json",
        lambda stored: stored.update(size=square, crop_size=square),
    )

    with pytest.raises(WeightsError, match="makes pictures of 64 px, the network reads 32 px"):
        KINDS[name][0](folder)


def test_another_vocabulary_is_another_digest(name: str, folder: Path) -> None:
    before = KINDS[name][0](folder).digest
    rewrite(folder / "tokenizer.json", lambda stored: stored["model"]["vocab"].update(extra=9999))
    manifest(folder)

    assert KINDS[name][0](folder).digest != before
