"""Weights fit their network key by key, or one line says which do not and where."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from unisearch.errors import WeightsError
from unisearch.spaces.towers.strict import load_strict, read_state


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))


def weights(path: Path, change: dict[str, torch.Tensor | None] | None = None) -> Path:
    """The weights of a network; None in `change` leaves a key out."""
    torch.manual_seed(0)
    state = {**network().state_dict(), **(change or {})}
    save_file({key: tensor for key, tensor in state.items() if tensor is not None}, path)
    return path


def test_what_fits_is_loaded_for_use_only(tmp_path: Path) -> None:
    file, module = weights(tmp_path / "model.safetensors"), network()

    load_strict(module, read_state(file), file)

    assert torch.equal(module.state_dict()["0.weight"], read_state(file)["0.weight"])
    assert not module.training
    assert not any(parameter.requires_grad for parameter in module.parameters())


def test_half_precision_is_read_as_float32_and_whole_numbers_stay(tmp_path: Path) -> None:
    file = weights(tmp_path / "w", {"0.bias": torch.ones(4, dtype=torch.bfloat16)})

    state = read_state(file)

    assert state["0.bias"].dtype == torch.float32
    assert state["1.num_batches_tracked"].dtype == torch.int64


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"0.bias": None}, "lacks '0.bias': it is of another model"),
        ({"0.bias": None, "1.bias": None}, "lacks '0.bias' and 1 more: it is of another model"),
        ({"head": torch.ones(2)}, "has 'head' too much: it is of another model"),
        ({"0.weight": torch.ones(4, 5)}, "holds '0.weight' as 4x5 where the network has 4x3"),
        ({"0.bias": torch.tensor(1.0)}, "holds '0.bias' as a number where the network has 4"),
    ],
)
def test_what_does_not_fit_is_named_in_one_line(
    tmp_path: Path, change: dict[str, torch.Tensor | None], says: str
) -> None:
    file = weights(tmp_path / "model.safetensors", change)

    with pytest.raises(WeightsError) as raised:
        load_strict(network(), read_state(file), file)

    assert str(raised.value).startswith(f"{file} {says}")
    assert "\n" not in str(raised.value)


def test_a_file_cut_off_is_one_line(tmp_path: Path) -> None:
    file = weights(tmp_path / "model.safetensors")
    for length in (0, 4, 60, file.stat().st_size - 1):
        short = tmp_path / "short"
        short.write_bytes(file.read_bytes()[:length])

        with pytest.raises(WeightsError, match=r"short is cut off or no safetensors file: .") as no:
            read_state(short)

        assert "\n" not in str(no.value)


def test_a_pickle_is_refused_and_not_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "sprung",)

    (tmp_path / "model.safetensors").write_bytes(pickle.dumps(Trap()))

    with pytest.raises(WeightsError, match="no safetensors file"):
        read_state(tmp_path / "model.safetensors")

    assert not (tmp_path / "sprung").exists()


def test_a_missing_file_and_a_folder_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="gone is not there: pull or import its model"):
        read_state(tmp_path / "gone")
    with pytest.raises(WeightsError, match="cannot be read"):
        read_state(tmp_path)
