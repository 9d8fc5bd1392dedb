"""Weights from a file into a network, key by key: nothing missing, nothing left over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from unisearch.errors import WeightsError, display

Shape = tuple[int, ...]


def read_state(path: Path, without: tuple[str, ...] = ()) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file by their keys, on the CPU; floats become float32.

    without: keys that begin so are left on the disk
    Raises WeightsError when the file is not there, cut off, or of another format (a pickle, too).
    """
    with _opened(path) as file:
        state = {key: file.get_tensor(key) for key in _keys(file) if not key.startswith(without)}
    return {
        key: tensor.float() if tensor.is_floating_point() else tensor
        for key, tensor in state.items()
    }


def shapes_in(path: Path) -> dict[str, Shape]:
    """What the file holds, without reading a tensor. Raises as read_state."""
    with _opened(path) as file:
        return {key: tuple(file.get_slice(key).get_shape()) for key in _keys(file)}


def shapes_of(state: Mapping[str, torch.Tensor]) -> dict[str, Shape]:
    """Of the tensors by their keys."""
    return {key: tuple(tensor.shape) for key, tensor in state.items()}


def load_strict(module: nn.Module, state: Mapping[str, torch.Tensor], where: Path | str) -> None:
    """Puts the tensors into the network, which is then for use only: eval mode, no gradients.

    where: what the errors name, the file that the tensors are from
    Raises as check_fits.
    """
    check_fits(shapes_of(module.state_dict()), shapes_of(state), where)
    module.load_state_dict(state, strict=True)
    module.eval().requires_grad_(False)


def check_fits(wanted: Mapping[str, Shape], found: Mapping[str, Shape], where: Path | str) -> None:
    """Raise WeightsError that names the first key that is missing, extra or of another shape.

    wanted, found: of the network, and of the file that errors name
    """
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


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except FileNotFoundError as error:
        raise WeightsError(f"{display(path)} is not there: pull or import its model") from error
    except OSError as error:
        reason = (error.strerror or str(error)).splitlines()[0]
        raise WeightsError(f"{display(path)} cannot be read: {reason}") from error
    except (SafetensorError, ValueError) as error:
        raise WeightsError(
            f"{display(path)} is cut off or no safetensors file: {str(error).splitlines()[0]}"
        ) from error


def _keys(file: Any) -> list[str]:
    return list(file.keys())


def _named(keys: Sequence[str]) -> str:
    more = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
    return f"'{keys[0]}'{more}"


def _shape(shape: Shape) -> str:
    return "x".join(str(size) for size in shape) or "a number"
