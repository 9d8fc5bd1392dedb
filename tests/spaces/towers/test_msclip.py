"""MS-CLIP-S reads its sizes from its weights and shares its body, or says what does not fit."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn.functional import normalize

from tests.merges import put_excerpt
from tests.spaces.tiny import tiny_models
from unisearch.errors import WeightsError
from unisearch.records import ImageSample, Modality, Sample, TextSample
from unisearch.spaces.towers.bpe import MERGES
from unisearch.spaces.towers.msclip.model import MsClip
from unisearch.spaces.towers.msclip.tower import MsClipTower
from unisearch.spaces.towers.strict import load_strict

MODELS = ("msclip-s-b32", "msclip-s-b16")
SHARED = "transformer.resblocks.3.attn.in_proj_weight"
State = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return tiny_models(tmp_path_factory.mktemp("models"), MODELS)


@pytest.fixture(params=MODELS)
def tower(request: pytest.FixtureRequest, models: dict[str, Path]) -> MsClipTower:
    return MsClipTower(models[request.param])


@pytest.fixture
def folder(models: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of a model's folder, to be changed."""
    return Path(shutil.copytree(models[MODELS[0]], tmp_path / "model"))


def rewrite(folder: Path, change: Callable[[State], object]) -> None:
    state = load_file(folder / "model.safetensors")
    change(state)
    save_file(state, folder / "model.safetensors")


def rows_of(tower: MsClipTower, samples: list[Sample]) -> torch.Tensor:
    modality: Modality = samples[0].modality
    return tower.encode(modality, [tower.preparer(modality)(one) for one in samples])


def texts(*lines: str) -> list[Sample]:
    return [TextSample(line) for line in lines]


def noise(seed: int) -> ImageSample:
    numbers = np.random.default_rng(seed)
    return ImageSample(numbers.integers(0, 256, (70, 90, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    ("model", "grid", "strides"), [(0, 2, (2, 2, 2, 2, 2)), (1, 4, (2, 2, 2, 2, 1))]
)
def test_sizes_are_read_from_the_weights(
    models: dict[str, Path], model: int, grid: int, strides: tuple[int, ...]
) -> None:
    tower = MsClipTower(models[MODELS[model]])

    assert (tower.sizes.grid, tower.sizes.strides, tower.sizes.side) == (grid, strides, 64)
    assert (tower.sizes.layers, tower.sizes.heads, tower.dim) == (12, 2, 24)
    assert tower.image_min_side == 128


def test_a_shared_layer_moves_texts_and_pictures(tower: MsClipTower) -> None:
    samples: tuple[list[Sample], ...] = (texts("a red chair"), [noise(1)])
    before = [rows_of(tower, one) for one in samples]

    tower.network.state_dict()[SHARED].neg_()

    for row, one in zip(before, samples, strict=True):
        assert float(row[0] @ rows_of(tower, one)[0]) < 0.9999


def test_the_norms_of_pictures_do_not_move_texts(tower: MsClipTower) -> None:
    before = rows_of(tower, texts("a red chair")), rows_of(tower, [noise(1)])

    tower.network.state_dict()["visual.transformer.resblocks.3.ln_1.weight"].neg_()

    assert torch.equal(rows_of(tower, texts("a red chair")), before[0])
    assert float(rows_of(tower, [noise(1)])[0] @ before[1][0]) < 0.9999


def test_folding_changes_nothing(tower: MsClipTower, models: dict[str, Path]) -> None:
    plain = MsClip(tower.sizes)
    name = MODELS[tower.sizes.grid == 4]
    load_strict(plain, load_file(models[name] / "model.safetensors"), name)
    pixels, tokens = torch.randn(2, 3, 64, 64), torch.tensor([[5, 6, 515, 0], [1, 2, 3, 515]])

    pairs = (
        (plain.encode_image(pixels), tower.network.encode_image(pixels)),
        (plain.encode_text(tokens), tower.network.encode_text(tokens)),
    )

    assert not any(isinstance(one, torch.nn.BatchNorm2d) for one in tower.network.modules())
    for before, after in pairs:
        assert torch.allclose(normalize(before, dim=-1), normalize(after, dim=-1), atol=1e-5)


def test_a_text_does_not_see_what_fills_it_up(tower: MsClipTower) -> None:
    alone = rows_of(tower, texts("red"))[0]

    together = rows_of(tower, texts("red", "a much longer text about chairs"))[0]

    assert torch.allclose(alone, together, atol=1e-6)


def test_the_end_of_a_long_text_counts(tower: MsClipTower) -> None:
    long = "a red chair beside the window " * 9

    cat, again, elephant = rows_of(tower, texts(long + "cat", long + "cat", long + "elephants"))

    assert torch.allclose(cat, again, atol=1e-6)
    assert float(cat @ elephant) < 0.9999


def test_both_names_of_shared_tensors_are_read(models: dict[str, Path], folder: Path) -> None:
    rewrite(folder, lambda state: state.update({f"visual.{SHARED}": state[SHARED].clone()}))

    again = MsClipTower(folder)

    wanted = rows_of(MsClipTower(models[MODELS[0]]), [noise(2)])
    assert torch.equal(rows_of(again, [noise(2)]), wanted)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s: s.update({f"visual.{SHARED}": s[SHARED] + 1}), f"'visual.{SHARED}' is not"),
        (lambda s: s.pop("visual.proj"), "lacks 'visual.proj'"),
        (lambda s: s.pop("text_projection"), "it has no 'text_projection'"),
        (lambda s: s.update(more=torch.zeros(1)), "has 'more' too much"),
        (lambda s: s.update({SHARED: torch.zeros(3, 3)}), f"holds '{SHARED}' as 3x3"),
        (lambda s: s.update(text_projection=torch.zeros(3)), r"shape \[3\], not 2 axes"),
        (
            lambda s: s.update({"visual.positional_embedding": torch.zeros(4, 128)}),
            "'visual.positional_embedding' as 4x128",
        ),
        (
            lambda s: s.update(positional_embedding=torch.zeros(77, 100)),
            "its side branch 5, its width is 100",
        ),
        (
            lambda s: s.update(
                {
                    "visual.transformer.parallel_lateral_adapter.1.top2bottom_dw_conv.conv.weight":
                    torch.zeros(8, 1, 3, 3)
                }
            ),
            r"kernels of \(16, 3, 4, 2, 1\) px",
        ),
    ],
    ids=["differ", "lacks", "no size", "more", "shape", "axes", "grid", "width", "kernels"],
)  # fmt: skip
def test_what_does_not_fit_is_one_line(
    folder: Path, change: Callable[[State], object], says: str
) -> None:
    rewrite(folder, change)

    with pytest.raises(WeightsError, match=says) as raised:
        MsClipTower(folder)

    assert "\n" not in str(raised.value)
    assert str(folder / "model.safetensors") in str(raised.value)


def test_tokens_of_another_network_are_refused(folder: Path) -> None:
    (folder / MERGES).unlink()
    put_excerpt(folder)

    with pytest.raises(WeightsError, match="makes 49408 tokens, the network knows 516"):
        MsClipTower(folder)
