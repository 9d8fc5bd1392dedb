"""The projectors of FreeBind (Molecule-Space): small heads in ensembles of seven or fourteen.

Source: Z. Wang et al., FreeBind: Free Lunch in Unified Multimodal Space via Knowledge Bridge, 2024,
and its released code, where one head is `Reaction_Head_mini`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from unisearch.errors import WeightsError, display
from unisearch.spaces.towers.strict import load_strict

#: What the pseudo pairs were made of that each of seven heads learned from, in published order.
DATA = ("mix", "A", "T", "V", "AT", "AV", "TV")
FIRST, LAST = "Head2.mlps.0.weight", "Head2.mlps.3.weight"


class ReactionHead(nn.Module):
    """Unit rows of one space (n, inputs) to unit rows of another (n, outputs)."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        layers = nn.Sequential(
            *(nn.Linear(inputs, hidden), nn.BatchNorm1d(hidden), nn.ReLU()),
            *(nn.Linear(hidden, outputs), nn.BatchNorm1d(outputs)),
        )
        self.Head2 = nn.ModuleDict({"mlps": layers})

    def forward(self, rows: Tensor) -> Tensor:
        return normalize(self.Head2["mlps"](rows).float(), dim=-1)


class Ensemble(nn.ModuleDict):
    """Heads by their names, whose mean direction counts.

    widths: of the rows that go in and come out
    """

    widths: tuple[int, int]

    def forward(self, *experts: Tensor) -> Tensor:
        """Unit rows (n, outputs) of the unit rows of each expert (n, inputs).

        The first seven heads see the first expert, the next seven the second.
        """
        found = [head(experts[place // len(DATA)]) for place, head in enumerate(self.values())]
        return normalize(torch.stack(found).mean(dim=0), dim=-1)


def ensemble_of(state: Mapping[str, Tensor], names: Sequence[str], where: Path) -> Ensemble:
    """The heads of those names, in this order, whatever the order of the file.

    state: keys 'NAME.Head2.mlps.…'
    Raises WeightsError for a key that lacks, is too many or has another shape.
    """
    first, last = f"{names[0]}.{FIRST}", f"{names[0]}.{LAST}"
    for key in (first, last):
        if key not in state or state[key].ndim != 2:
            raise WeightsError(f"{display(where)} lacks the matrix '{key}': it is of another model")
    (hidden, inputs), outputs = state[first].shape, len(state[last])
    with torch.device("meta"):  # nothing to draw: every number comes from the file
        heads = Ensemble({name: ReactionHead(inputs, hidden, outputs) for name in names})
    heads.widths = (inputs, outputs)
    heads.to_empty(device="cpu")
    load_strict(heads, state, where)
    return heads
