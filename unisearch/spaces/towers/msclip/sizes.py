"""How large an MS-CLIP-S is: read from the shapes of its weights."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from unisearch.errors import WeightsError, display

HEAD = 64  # width of one head of attention; the number of heads follows
STEM = "visual.transformer.resblocks.0"
ADAPTER = "visual.transformer.parallel_lateral_adapter"


class Shaped(Protocol):
    """A tensor, as far as this module looks at it."""

    @property
    def shape(self) -> tuple[int, ...]: ...


@dataclass(frozen=True)
class Sizes:
    """Of one network. Published: width 768, 12 layers, grid 7 (B/32) or 14 (B/16).

    stem, branch: channels after each of their stages, the first convolution included
    kernels: of the side branch's lateral convolutions, which make its maps as large as the grid
    """

    vocabulary: int
    context: int  # tokens
    width: int
    mlp: int
    layers: int
    dim: int
    grid: int  # patches along one side
    stem: tuple[int, ...]
    branch: tuple[int, ...]
    kernels: tuple[int, ...]

    @property
    def heads(self) -> int:
        return self.width // HEAD

    @property
    def strides(self) -> tuple[int, ...]:
        """Of the stages of stem and branch alike: their maps shrink as the kernels do."""
        return (2, *(max(1, before // max(1, after)) for before, after in pairwise(self.kernels)))

    @property
    def side(self) -> int:
        """Of the pictures that the network sees, in px."""
        return self.grid * math.prod(self.strides)


def read_sizes(state: Mapping[str, Shaped], where: Path) -> Sizes:
    """The sizes of the network whose weights these are.

    where: the file, for the error
    Raises WeightsError, which names the key, when a tensor that says a size is not there or has
    another number of dimensions.
    """

    def shape(key: str, dimensions: int) -> tuple[int, ...]:
        if key not in state:
            raise WeightsError(f"{display(where)} is no MS-CLIP-S: it has no '{key}'")
        found = tuple(state[key].shape)
        if len(found) != dimensions:
            raise WeightsError(f"{where}: '{key}' has shape {list(found)}, not {dimensions} axes")
        return found

    context, width = shape("positional_embedding", 2)
    stages = range(_count(state, rf"{re.escape(STEM)}\.resnet_stage\.conv_(\d+)\."))
    adapters = range(_count(state, rf"{re.escape(ADAPTER)}\.(\d+)\."))
    lateral = [shape(f"{ADAPTER}.{i}.top2bottom_dw_conv.conv.weight", 4) for i in adapters]
    if len(lateral) != 1 + len(stages) or width % HEAD:
        raise WeightsError(
            f"{display(where)} is no MS-CLIP-S: its stem has {1 + len(stages)} stages,"
            f" its side branch {len(lateral)}, its width is {width}"
        )
    sizes = Sizes(
        vocabulary=shape("token_embedding.weight", 2)[0],
        context=context,
        width=width,
        mlp=shape("transformer.resblocks.0.mlp.c_fc.weight", 2)[0],
        layers=_count(state, r"transformer\.resblocks\.(\d+)\."),
        dim=shape("text_projection", 2)[1],
        grid=math.isqrt(max(0, shape("visual.positional_embedding", 2)[0] - 1)),
        stem=(
            shape(f"{STEM}.conv1.weight", 4)[0],
            *(shape(f"{STEM}.resnet_stage.conv_{i}.conv1.weight", 4)[0] for i in stages),
        ),
        branch=tuple(channels for channels, *_ in lateral),
        kernels=tuple(kernel for *_, kernel in lateral),
    )
    if sizes.kernels != tuple(math.prod(sizes.strides[i + 1 :]) for i in adapters):
        raise WeightsError(
            f"{display(where)} is no MS-CLIP-S: kernels of {sizes.kernels} px do not bring the maps"
            " of its side branch to one grid"
        )
    return sizes


def _count(keys: Iterable[str], pattern: str) -> int:
    """One more than the highest number that the pattern finds at the beginning of a key."""
    numbers = [int(found[1]) for key in keys if (found := re.match(pattern, key))]
    return max(numbers, default=-1) + 1
