"""Models of open_clip: the guard without the package, the adapter with a stand-in of it.

Where the package itself is installed (CI cannot), the adapter is compared with it, too.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from torch.nn.functional import normalize

from tests.spaces.tiny import manifest, put_json, put_openclip, randomise
from unisearch.errors import MissingExtra, WeightsError
from unisearch.records import ImageSample, TextSample
from unisearch.spaces.table import load_space
from unisearch.spaces.towers.openclip import OpenClipTower
from unisearch.spaces.towers.pictures import Crop, Squeeze

TEXTS = ["a red chair", "thunder", "", "a dog " * 60 + "and a cat", "a dog " * 60 + "and an owl"]


class Network(nn.Module):
    """What the adapter asks of a network: 8 numbers of a picture of 16 px and of a text."""

    def __init__(self, plan: dict[str, Any]) -> None:
        super().__init__()
        self.eyes = nn.Linear(16 * 16 * 3, 8)
        self.words = nn.Embedding(300, 8)
        self.visual = types.SimpleNamespace(preprocess_cfg=plan)

    def encode_image(self, pixels: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.eyes(pixels.flatten(1))
        return found

    def encode_text(self, numbers: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.words(numbers).mean(1)
        return found


class Words:
    """A vocabulary of bytes that cuts at the context, as those of open_clip do."""

    context_length = 20
    fill_before = False

    def __call__(self, texts: Sequence[str], context_length: int) -> torch.Tensor:
        rows = torch.zeros((len(texts), context_length), dtype=torch.long)
        for place, text in enumerate(texts):
            row = [*[256, *text.encode()][: context_length - 1], 257]
            start = context_length - len(row) if self.fill_before else 0
            rows[place, start : start + len(row)] = torch.tensor(row)
        return rows


@pytest.fixture
def plan() -> dict[str, Any]:
    """How open_clip says that pictures are prepared, defaults filled in."""
    return {
        "size": (16, 16),
        "mode": "RGB",
        "mean": (0.5, 0.4, 0.3),
        "std": (0.2, 0.2, 0.2),
        "interpolation": "bicubic",
        "resize_mode": "shortest",
        "fill_color": 0,
    }


@pytest.fixture
def folder(tmp_path: Path, plan: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model's folder, and a stand-in for the package that knows its network."""

    def create_model(name: str, **options: Any) -> nn.Module:
        assert name == f"local-dir:{place}"
        assert options == {"load_weights": False, "pretrained_text": False}
        return Network(plan)

    package = types.ModuleType("open_clip")
    package.create_model = create_model  # type: ignore[attr-defined]
    package.get_tokenizer = lambda name: Words()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "open_clip", package)
    place = tmp_path / "openclip"
    place.mkdir()
    put_json(place / "open_clip_config.json", {"model_cfg": {"embed_dim": 8}})
    save_file(randomise(Network(plan)), place / "open_clip_model.safetensors")
    manifest(place)
    return place


def rows(tower: OpenClipTower, texts: Sequence[str]) -> torch.Tensor:
    return tower.encode("text", [tower.preparer("text")(TextSample(text)) for text in texts])


def test_without_the_package_its_extra_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "open_clip", None)

    with pytest.raises(MissingExtra) as raised:
        load_space("openclip", {"openclip": folder})

    assert str(raised.value) == "'openclip' needs extra packages: pip install 'unisearch[openclip]'"


def test_a_package_that_does_not_start_is_one_line_that_says_why(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "site" / "open_clip"
    broken.mkdir(parents=True)
    why = "operator torchvision::nms does not exist"
    (broken / "__init__.py").write_text(f"raise RuntimeError('{why}\\nmore')", "utf-8")
    monkeypatch.delitem(sys.modules, "open_clip")
    monkeypatch.syspath_prepend(broken.parent)

    with pytest.raises(MissingExtra) as raised:
        OpenClipTower(folder)

    assert f"does not start ({why}); its torchvision must match torch" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_it_sees_texts_pictures_and_shapes(folder: Path) -> None:
    space = load_space("openclip", {"openclip": folder})

    pixels = np.random.default_rng(0).integers(0, 256, (40, 30, 3)).astype(np.uint8)
    found = space.encode([TextSample("dog"), ImageSample(pixels)])

    assert space.modalities == ("text", "image", "3d", "video")
    assert space.image_min_side == 32
    assert found.shape == (2, 8)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_pixels_are_scaled_as_the_model_says(folder: Path, plan: dict[str, Any]) -> None:
    tower = OpenClipTower(folder)
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3)).astype(np.uint8)

    [row] = tower.encode("image", [pixels])

    scaled = (pixels / 255 - np.array(plan["mean"])) / np.array(plan["std"])
    network = Network(plan)
    network.load_state_dict(randomise(network))
    wanted = network.encode_image(torch.from_numpy(scaled.transpose(2, 0, 1)[None]).float())
    assert torch.allclose(row, normalize(wanted, dim=-1)[0], atol=1e-5)


@pytest.mark.parametrize("before", [False, True], ids=["filled behind", "filled before"])
def test_a_text_is_cut_only_where_the_package_would_lose_some(
    folder: Path, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    monkeypatch.setattr(Words, "fill_before", before)
    tower = OpenClipTower(folder)
    most = "x" * 18  # with begin and end as long as the context

    assert torch.allclose(rows(tower, [most, f"{most} y"])[0], rows(tower, [most])[0], atol=1e-6)
    assert all(map(tower._fits, ("", "x", most)))
    assert not tower._fits(most + "x")
    first, second = rows(tower, TEXTS[3:])
    assert float(first @ second) < 1 - 1e-6


@pytest.mark.parametrize(
    ("change", "picture"),
    [
        ({}, Crop(16, 3)),
        ({"size": 16, "interpolation": "bilinear"}, Crop(16, 2)),
        ({"resize_mode": "squash"}, Squeeze(16, 3)),
    ],
)
def test_pictures_are_prepared_as_the_model_says(
    folder: Path, plan: dict[str, Any], change: dict[str, Any], picture: Crop | Squeeze
) -> None:
    plan.update(change)

    assert OpenClipTower(folder).preparer("image") == picture


@pytest.mark.parametrize(
    "change", [{"resize_mode": "longest"}, {"size": (16, 24)}, {"interpolation": "nearest"}]
)
def test_what_we_do_not_make_is_one_line(
    folder: Path, plan: dict[str, Any], change: dict[str, Any]
) -> None:
    plan.update(change)

    with pytest.raises(WeightsError, match="wants pictures as unisearch makes none"):
        OpenClipTower(folder)


def test_weights_of_another_model_are_one_line(folder: Path) -> None:
    save_file({"eyes.weight": torch.zeros(8, 768)}, folder / "open_clip_model.safetensors")

    with pytest.raises(WeightsError, match=r"lacks 'eyes.bias' and 1 more: it is of another model"):
        OpenClipTower(folder)


def test_settings_that_the_package_refuses_are_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise TypeError("unexpected keyword 'depth'\nmore")

    monkeypatch.setattr(sys.modules["open_clip"], "create_model", refuse)

    with pytest.raises(WeightsError, match=r"describes no network: unexpected keyword 'depth'$"):
        OpenClipTower(folder)


if find_spec("open_clip"):

    def test_vectors_are_those_of_the_package(tmp_path: Path) -> None:
        import open_clip

        put_openclip(tmp_path)
        manifest(tmp_path)
        tower = OpenClipTower(tmp_path)
        pictures = [  # whose middle is a whole number: of half a pixel torchvision takes the other
            np.random.default_rng(seed).integers(0, 256, (50, 75, 3)).astype(np.uint8)
            for seed in range(3)
        ]

        name = f"local-dir:{tmp_path}"
        network, _, prepare = open_clip.create_model_and_transforms(name)
        network.eval()
        with torch.inference_mode():
            seen = torch.stack([prepare(Image.fromarray(one)) for one in pictures])
            image = network.encode_image(seen, normalize=True)
            text = network.encode_text(open_clip.get_tokenizer(name)(TEXTS[:3]), normalize=True)

        shown = [tower.preparer("image")(ImageSample(one)) for one in pictures]
        assert torch.allclose(tower.encode("image", shown), image, atol=2e-3)  # of 8 bits
        assert torch.allclose(rows(tower, TEXTS[:3]), text, atol=1e-5)
