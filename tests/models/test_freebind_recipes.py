"""Published files of ImageBind and FreeBind become ours, key by key."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from tests.bench.towers_full import IMAGEBIND
from tests.spaces.tiny import State, imagebind_state, reaction_head
from unisearch.errors import WeightsError
from unisearch.models.known import KNOWN
from unisearch.models.recipes import freebind, imagebind
from unisearch.spaces.towers.imagebind.network import ImageBind
from unisearch.spaces.towers.reaction import ReactionHead

FILE, TUNED = "imagebind_huge.pth", "DrvtFT_audio_with_head.pt"
DEPTH = "modality_trunks.depth.blocks.0.attn.bias_k"


def published() -> State:
    """As ImageBind is published, with something of each modality that is not kept."""
    others = {
        f"modality_{part}.{tower}.1.weight": torch.zeros(1)
        for part in ("preprocessors", "trunks", "heads", "postprocessors")
        for tower in ("depth", "thermal", "imu")
    }
    return imagebind_state(516) | others | {DEPTH: torch.zeros(1)}


def tuned() -> State:
    tower = {f"ib.{key}": tensor for key, tensor in imagebind_state(towers=["audio"]).items()}
    return tower | {
        f"ib_head.projectors.{place}.{key}": tensor
        for place in range(7)
        for key, tensor in reaction_head(8, 6, place).items()
    }


def test_three_towers_of_imagebind_are_kept_as_they_are() -> None:
    found = imagebind.convert({FILE: published()}).state

    wanted = imagebind_state(516)
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[key], wanted[key]) for key in wanted)


def test_the_fine_tuned_tower_keeps_its_keys() -> None:
    assert freebind.convert({TUNED: tuned()}).state.keys() == tuned().keys()


def test_the_size_of_the_fine_tuned_tower_is_that_of_its_tensors() -> None:
    with torch.device("meta"):
        tower = ImageBind({"audio": IMAGEBIND["audio"]}).state_dict()
        head = ReactionHead(1024, 2048, 768).state_dict()

    values = sum(map(torch.numel, [*tower.values(), *(7 * [*head.values()])]))

    assert KNOWN["freebind-internvl-ib-ft"].size_bytes == 4 * values


def test_projectors_go_into_one_file_under_the_names_of_their_folders() -> None:
    files = {f"IB_PP_{one}_Proj/mix/best.pt": reaction_head(8, 6, ord(one)) for one in "GM"}

    found = freebind.convert(files).state

    assert len(found) == 2 * 14
    for one in "GM":
        key = "Head2.mlps.4.running_var"
        wanted = files[f"IB_PP_{one}_Proj/mix/best.pt"][key]
        assert torch.equal(found[f"IB_PP_{one}_Proj/mix.{key}"], wanted)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("modality_preprocessors.text.mask"), "lacks the tensor"),
        (lambda state: state.update({"modality_trunks.smell.0": torch.zeros(1)}), "too many"),
        (
            lambda state: state.update({"modality_heads.vision.2.weight": torch.zeros(3)}),
            "'modality_heads.vision.2.weight' has the shape",
        ),
    ],
)
def test_an_imagebind_that_does_not_fit_is_refused(
    change: Callable[[State], object], message: str
) -> None:
    state = published()
    change(state)

    with pytest.raises(WeightsError, match=FILE) as error:
        imagebind.convert({FILE: state})

    assert message in str(error.value)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("ib_head.projectors.6.Head2.mlps.0.bias", "lacks the tensor"),
        ("ib.modality_trunks.audio.blocks.1.attn.bias_v", "lacks the tensor"),
        ("ib.modality_trunks.vision.blocks.0.norm_1.bias", "too many"),
    ],
)
def test_a_fine_tuned_tower_that_does_not_fit_is_refused(key: str, message: str) -> None:
    state = tuned()
    if key in state:
        del state[key]
    else:
        state[key] = torch.zeros(1)

    with pytest.raises(WeightsError, match=message) as error:
        freebind.convert({TUNED: state})

    assert key in str(error.value)


def test_a_projector_that_does_not_fit_is_named_with_its_file() -> None:
    head = reaction_head(8, 6, 0)
    del head["Head2.mlps.1.running_mean"]

    with pytest.raises(WeightsError, match=r"IB_PP_G_Proj/T/best.pt: lacks the tensor"):
        freebind.convert({"IB_PP_G_Proj/T/best.pt": head})
