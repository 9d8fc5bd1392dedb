"""ImageBind's towers compute what their parts do in torch, and say which weights do not fit."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from tests.merges import put_few
from tests.spaces.conftest import picture, tone
from tests.spaces.tiny import State, imagebind_state, randomise, tiny_models
from unisearch.errors import WeightsError
from unisearch.records import AudioSample, Modality, Sample, TextSample
from unisearch.spaces.towers.bpe import MERGES
from unisearch.spaces.towers.imagebind import sound
from unisearch.spaces.towers.imagebind.blocks import Attention
from unisearch.spaces.towers.imagebind.network import ImageBind, VisionInput
from unisearch.spaces.towers.imagebind.sizes import Sizes
from unisearch.spaces.towers.imagebind.tower import ImageBindTower
from unisearch.spaces.towers.strict import load_strict

MODEL = "imagebind-huge"
SMALL = Sizes(width=128, blocks=1, heads=2, mlp=64, dim=16, tokens=10, patch=8)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models(tmp_path_factory.mktemp("models"), [MODEL])[MODEL]


@pytest.fixture(scope="module")
def tower(model: Path) -> ImageBindTower:
    return ImageBindTower(model)


@pytest.fixture
def folder(model: Path, tmp_path: Path) -> Path:
    """A copy of the model's folder, to be changed."""
    return Path(shutil.copytree(model, tmp_path / "model"))


def rewrite(folder: Path, change: Callable[[State], object]) -> None:
    state = load_file(folder / "model.safetensors")
    change(state)
    save_file(state, folder / "model.safetensors")


def rows_of(tower: ImageBindTower, *samples: Sample) -> torch.Tensor:
    modality: Modality = samples[0].modality
    return tower.encode(modality, [tower.preparer(modality)(one) for one in samples])


@pytest.mark.parametrize("extra", [False, True])
def test_attention_is_that_of_torch(extra: bool) -> None:
    theirs = nn.MultiheadAttention(128, 2, add_bias_kv=extra, batch_first=True)
    ours = Attention(SMALL, extra=extra)
    load_strict(ours, randomise(theirs), "state")
    load_strict(theirs, randomise(theirs), "state")
    x = torch.randn(3, 5, 128, generator=torch.Generator().manual_seed(0))
    mask = torch.full((5, 5), -torch.inf).triu(1)

    found = ours(x, None if extra else mask)

    wanted, _ = theirs(x, x, x, attn_mask=None if extra else mask, need_weights=False)
    assert torch.allclose(found, wanted, atol=1e-5)


def test_a_picture_is_seen_as_two_equal_frames() -> None:
    stem = VisionInput(SMALL)
    load_strict(stem, randomise(stem), "state")
    pixels = torch.randn(2, 3, 24, 24, generator=torch.Generator().manual_seed(0))

    found = stem(pixels)[:, 1:] - stem.pos_embedding_helper.pos_embed[:, 1:]

    video = stem.rgbt_stem["proj"][1]  # type: ignore[index]
    wanted = video(torch.stack([pixels, pixels], dim=2)).flatten(2).transpose(1, 2)
    assert torch.allclose(found, wanted, atol=1e-5)


def test_sizes_are_those_of_the_published_keys() -> None:
    state = imagebind_state(514)

    assert state["modality_preprocessors.vision.rgbt_stem.proj.1.weight"].ndim == 5
    assert state["modality_trunks.audio.blocks.1.attn.bias_k"].shape == (1, 1, 64)
    assert state["modality_postprocessors.text.1.log_logit_scale"].shape == ()
    assert sum(key.startswith("modality_trunks.vision.") for key in state) == 2 * 12 + 2
    assert sum(key.startswith("modality_trunks.text.") for key in state) == 2 * 12
    assert sum(key.startswith("modality_trunks.audio.") for key in state) == 2 * 14


def test_the_published_network_has_as_many_tensors_as_officially() -> None:
    sizes = {
        "vision": Sizes(1280, 32, 16, 5120, 1024, 257, patch=14),
        "text": Sizes(1024, 24, 16, 4096, 1024, 77, vocabulary=49_408),
        "audio": Sizes(768, 12, 12, 3072, 1024, 229),
    }
    with torch.device("meta"):
        state = ImageBind(sizes).state_dict()

    counts = {
        name: sum(key.startswith(f"modality_{part}") for key in state)
        for name, part in (("in", "pre"), ("trunks", "trunks"), ("heads", "heads"), ("out", "post"))
    }
    assert counts == {"in": 3 + 3 + 5, "trunks": 386 + 288 + 168, "heads": 9, "out": 2}


def test_a_text_does_not_depend_on_longer_ones_beside_it(tower: ImageBindTower) -> None:
    short, long = TextSample("a red chair"), TextSample("the sound of rain on a roof")

    together = rows_of(tower, short, long)

    assert torch.allclose(together[:1], rows_of(tower, short), atol=1e-5)


def test_the_end_of_a_long_text_counts(tower: ImageBindTower) -> None:
    many = "one two three " * 30

    first, second = rows_of(tower, TextSample(many + "cats"), TextSample(many + "dogs"))

    assert (first - second).abs().max() > 1e-3


def test_a_sound_is_the_mean_of_its_clips(tower: ImageBindTower) -> None:
    prepared = tower.preparer("audio")(tone(1, 10.0))

    rows = tower.encode("audio", [prepared])

    clips = [tower.encode("audio", [np.stack([clip] * 3)]) for clip in prepared]
    wanted = torch.nn.functional.normalize(torch.cat(clips).mean(dim=0), dim=-1)
    assert torch.allclose(rows[0], wanted, atol=1e-5)


def test_clips_are_spread_over_a_window(tower: ImageBindTower) -> None:
    silence = np.zeros(10 * 16_000, np.float32)
    ends = silence.copy()
    ends[9 * 16_000 :] = tone(1, 1.0).samples

    prepared = tower.preparer("audio")(AudioSample(ends, 16_000))

    quiet = tower.preparer("audio")(AudioSample(silence, 16_000))
    assert np.array_equal(prepared[:2], quiet[:2])
    assert not np.array_equal(prepared[2], quiet[2])
    assert sound.starts(10.0) == [0.0, 4.0, 8.0]


def test_what_is_missing_of_a_clip_is_nothing_not_silence(tower: ImageBindTower) -> None:
    prepared = tower.preparer("audio")(tone(1, 0.5))

    frames = 1 + (8_000 - 400) // 160
    assert prepared.shape == (3, 1, 128, 204)
    assert np.ptp(prepared[:, 0, :, frames:]) == 0
    assert prepared[0, 0, 0, -1] == pytest.approx(4.268 / 9.138)


@pytest.mark.parametrize("samples", [np.zeros(0), np.full(100, np.nan), np.full(20_000, np.inf)])
def test_odd_sounds_give_finite_numbers(tower: ImageBindTower, samples: Sample) -> None:
    odd = AudioSample(np.asarray(samples, np.float32), 44_100)

    assert torch.isfinite(rows_of(tower, odd)).all()


def test_one_tower_can_be_taken_alone(model: Path, tower: ImageBindTower) -> None:
    alone = ImageBindTower(model, modalities=["audio"])

    assert (alone.modalities, alone.image_min_side) == (("audio",), 0)
    assert torch.equal(rows_of(alone, tone(1)), rows_of(tower, tone(1)))
    assert sum(one.numel() for one in alone.network.parameters()) < 200_000


def test_pictures_are_cropped_to_the_side_of_the_network(tower: ImageBindTower) -> None:
    assert tower.preparer("image")(picture(1, 40, 300)).shape == (24, 24, 3)
    assert tower.image_min_side == 48


BLOCK = "modality_trunks.vision.blocks.1.mlp.fc1.weight"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop(BLOCK), f"lacks '{BLOCK}'"),
        (lambda state: state.update(more=torch.zeros(1)), "has 'more' too much"),
        (lambda state: state.update({BLOCK: torch.zeros(3, 80)}), f"holds '{BLOCK}' as 3x80"),
        (
            lambda state: state.pop("modality_preprocessors.audio.pos_embedding_helper.pos_embed"),
            "lacks 'modality_preprocessors.audio.pos_embedding_helper.pos_embed'",
        ),
        (
            lambda state: state.update(
                {
                    "modality_preprocessors.vision.pos_embedding_helper.pos_embed": torch.zeros(
                        1, 9, 80
                    )
                }
            ),
            "in a size that is no ImageBind's",
        ),
        (
            lambda state: state.update({"modality_heads.text.proj.1.weight": torch.zeros(16, 64)}),
            "spaces of different width",
        ),
    ],
)
def test_weights_that_do_not_fit_are_named(
    folder: Path, change: Callable[[State], object], message: str
) -> None:
    rewrite(folder, change)

    with pytest.raises(WeightsError, match=r"model\.safetensors") as error:
        ImageBindTower(folder)

    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_vocabulary_of_another_size_is_refused(folder: Path) -> None:
    put_few(folder)
    merges = folder / MERGES
    merges.write_text(merges.read_text("utf-8") + "a b\n", "utf-8")

    with pytest.raises(WeightsError, match=r"makes 517 tokens, the network knows 516"):
        ImageBindTower(folder)
