"""Weights from a file into a network, key by key: nothing missing, nothing left over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from unisearch.errors import WeightsError, display


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file by their keys, on the CPU; floats become float32.

    Raises WeightsError when the file is not there, cut off, or of another format (a pickle, too).
    """
    try:
        state = load_file(path)
    except FileNotFoundError as error:
        raise WeightsError(f"{display(path)} is not there: pull or import its model") from error
    except OSError as error:
        reason = (error.strerror or str(error)).splitlines()[0]
        raise WeightsError(f"{display(path)} cannot be read: {reason}") from error
    except (SafetensorError, ValueError) as error:
        raise WeightsError(
            f"{display(path)} is cut off or no safetensors file: {str(error).splitlines()[0]}"
        ) from error
    return {
        key: tensor.float() if tensor.is_floating_point() else tensor
        for key, tensor in state.items()
    }


def load_strict(module: nn.Module, state: Mapping[str, torch.Tensor], where: Path | str) -> None:
    """Puts the tensors into the network, which is then for use only: eval mode, no gradients.

    where: what the errors name, the file that the tensors are from
    Raises WeightsError that names the first key that is missing, extra or of another shape.
    """
    wanted = {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()}
    found = {key: tuple(tensor.shape) for key, tensor in state.items()}
    name = display(where)
    if missing := sorted(wanted.keys() - found.keys()):
        raise WeightsError(f"{name} lacks {_named(missing)}: it is of another model")
    if extra := sorted(found.keys() - wanted.keys()):
        raise WeightsError(f"{name} has {_named(extra)} too much: it is of another model")
    if other := sorted(key for key in wanted if wanted[key] != found[key]):
        key = other[0]
        raise WeightsError(
            f"{name} holds {_named(other)} as {_shape(found[key])}"
            f" where the network has {_shape(wanted[key])}: it is of another size"
        )
    module.load_state_dict(state, strict=True)
    module.eval().requires_grad_(False)


def _named(keys: Sequence[str]) -> str:
    more = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
    return f"'{keys[0]}'{more}"


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(str(size) for size in shape) or "a number"
