"""Heads of Ex-MCR and C-MCR: from the space of one system into that of another.

Sources: github.com/MCR-PEFT/C-MCR and /Ex-MCR; Z. Wang et al., Connecting multi-modal contrastive
representations, 2023, and Extending multi-modal contrastive representations, 2024.
All read unit rows and give unit rows; within a head nothing is brought to unit length.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import normalize

from unisearch.errors import WeightsError, display
from unisearch.spaces.towers.strict import load_strict

State = Mapping[str, torch.Tensor]


class Head(nn.Module):
    """Unit rows (n, width) to unit rows of the same width in another space."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width


class ExHead(Head):
    """Ex-MCR: a linear layer against the gap between modalities, then two perceptrons."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__(width)
        self.Head1 = nn.Linear(width, width)
        self.Head2 = nn.Sequential()
        self.Head2.add_module("mlp1", Perceptron(width, inner))
        self.Head2.add_module("mlp2", Perceptron(width, inner))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return normalize(self.Head2(self.Head1(rows)), dim=-1)


class Perceptron(nn.Module):
    """Two layers with a norm each; nothing is added around them and no ReLU is behind them."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.net1 = nn.Sequential(nn.Linear(width, inner), nn.BatchNorm1d(inner), nn.ReLU())
        self.net2 = nn.Sequential(nn.Linear(inner, width), nn.BatchNorm1d(width))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.net2(self.net1(rows))
        return found


class DeepHead(Head):
    """C-MCR, CLAP with CLIP: a perceptron."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__(width)
        self.net1, self.net2 = Perceptron(width, inner).children()

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return normalize(self.net2(self.net1(rows)), dim=-1)


class FlatHead(Head):
    """C-MCR, ULIP with CLIP: one layer; no number of its rows is negative."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.net = nn.Sequential(nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU())

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return normalize(self.net(rows), dim=-1)


def load_ex_heads(state: State, where: Path) -> dict[str, ExHead]:
    """The heads 'ex_clap' and 'ex_ulip' of a file that holds both.

    Raises WeightsError unless keys and shapes fit.
    """
    parts = _parts(state, ("ex_clap", "ex_ulip"), where)
    heads = {}
    for name, part in parts.items():
        heads[name] = ExHead(
            _size(part, "Head1.weight", name, where),
            _size(part, "Head2.mlp1.net1.0.weight", name, where),
        )
        load_strict(heads[name], part, f"{where} ({name})")
    return heads


def load_pair_heads(state: State, where: Path) -> dict[str, Head]:
    """The heads 'Head_A' and 'Head_B' of a file of C-MCR, of either kind.

    Which of the two is whose differs between the published files.
    Raises WeightsError unless keys and shapes fit.
    """
    parts = _parts(state, ("Head_A", "Head_B"), where)
    heads: dict[str, Head] = {}
    for name, part in parts.items():
        if any(key.startswith("net.") for key in part):
            heads[name] = FlatHead(_size(part, "net.0.weight", name, where))
        else:
            inner = _size(part, "net1.0.weight", name, where)
            heads[name] = DeepHead(_size(part, "net2.0.weight", name, where), inner)
        load_strict(heads[name], part, f"{where} ({name})")
    return heads


def _parts(state: State, names: tuple[str, ...], where: Path) -> dict[str, State]:
    """The tensors of each head, under its own keys; nothing is left over."""
    parts: dict[str, dict[str, torch.Tensor]] = {name: {} for name in names}
    for key, tensor in state.items():
        name, _, rest = key.partition(".")
        if name not in parts:
            raise WeightsError(f"{display(where)} has '{key}' too much: it is of another model")
        parts[name][rest] = tensor
    return {name: parts[name] for name in names}


def _size(state: State, key: str, name: str, where: Path) -> int:
    """How many numbers the layer of that key gives."""
    if key not in state or not state[key].ndim:
        raise WeightsError(f"{display(where)} lacks '{name}.{key}': it is of another model")
    return len(state[key])
