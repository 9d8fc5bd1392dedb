"""A batch onto the device of a network, and the precision that it is computed in there."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch

from unisearch.spaces.towers.prepare import Array


def precision(device: str) -> AbstractContextManager[object]:
    """bfloat16 where it is fast: to be entered around a forward pass; float32 on a CPU.

    On a CPU it changes nothing, so that a caller may choose bfloat16 there by torch.autocast.
    """
    kind = torch.device(device).type
    return torch.autocast(kind, torch.bfloat16) if kind == "cuda" else nullcontext()


def upload(batch: Sequence[Array], device: str) -> torch.Tensor:
    """(n, ...): arrays of one shape, stacked, on the device.

    From pinned memory, without waiting: the device goes on with what it has.
    """
    stacked = torch.from_numpy(np.stack(batch))
    if torch.device(device).type != "cuda":
        return stacked.to(device)
    return stacked.pin_memory().to(device, non_blocking=True)


class Pixels:
    """Pictures on the device as a network reads them: (x / 255 - mean) / std, channels first.

    mean, std: of the three channels, of values in [0, 1]
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], device: str) -> None:
        self.device = device
        # One product and one sum instead of two divisions.
        self._scale = torch.tensor([1 / (255 * one) for one in std], device=device)
        shift = [-one / other for one, other in zip(mean, std, strict=True)]
        self._shift = torch.tensor(shift, device=device)

    def __call__(self, batch: Sequence[Array]) -> torch.Tensor:
        """float32 (n, 3, side, side) of uint8 pictures (side, side, 3)."""
        scaled = upload(batch, self.device).float() * self._scale + self._shift
        return scaled.permute(0, 3, 1, 2)
