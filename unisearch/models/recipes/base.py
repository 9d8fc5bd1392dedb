"""What a recipe gets and gives, and what most of them do the same way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from unisearch.errors import WeightsError

#: Tensors by key, as one published file holds them.
State = dict[str, Tensor]
#: None stands for a length that the recipe leaves open: the tower reads its size from it.
Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Converted:
    """What is written into a model's folder: model.safetensors and files beside it."""

    state: State
    extra_files: Mapping[str, bytes] = field(default_factory=dict)


def only(files: Mapping[str, State]) -> tuple[str, State]:
    """Name and tensors of the one weights file of a model."""
    [(name, state)] = files.items()
    return name, state


def stripped(state: Mapping[str, Tensor], prefix: str) -> State:
    """The tensors with the prefix taken off, when every key starts with it; else as they are."""
    if not all(key.startswith(prefix) for key in state):
        return dict(state)
    return {key.removeprefix(prefix): tensor for key, tensor in state.items()}


def without(state: Mapping[str, Tensor], *prefixes: str) -> State:
    """The tensors but for those whose key starts with one of the prefixes."""
    return {key: tensor for key, tensor in state.items() if not key.startswith(prefixes)}


def strict(state: Mapping[str, Tensor], shapes: Mapping[str, Shape], file: str) -> State:
    """The tensors in the order of `shapes`; raises WeightsError unless keys and shapes fit.

    file: the official name, for the error, which names the first key that does not fit
    """
    if missing := [key for key in shapes if key not in state]:
        raise WeightsError(f"{file}: lacks the tensor '{missing[0]}'{_more(missing)}")
    if extra := [key for key in state if key not in shapes]:
        raise WeightsError(f"{file}: holds a tensor '{extra[0]}' too many{_more(extra)}")
    for key, shape in shapes.items():
        found = tuple(state[key].shape)
        if len(found) != len(shape) or any(
            wanted not in (None, length) for wanted, length in zip(shape, found, strict=True)
        ):
            raise WeightsError(f"{file}: '{key}' has the shape {found}, not {shape}")
    return {key: state[key] for key in shapes}


def _more(keys: list[str]) -> str:
    return f" and {len(keys) - 1} more" if len(keys) > 1 else ""
