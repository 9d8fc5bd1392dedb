"""The running mean of a network's weights: what is measured and published."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from unisearch.records import Prepared
from unisearch.spaces.starter.model import Starter
from unisearch.spaces.starter.space import encode_batch


class Average:
    """Exponential moving average; starts short so that the first weights are soon forgotten."""

    def __init__(self, model: Starter, decay: float) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def update(self, model: Starter, step: int) -> None:
        """Moves a little towards the weights of now; counters are copied."""
        weight = 1 - min(self._decay, (1 + step) / (10 + step))
        now = model.state_dict()
        floats = [(mine, now[name]) for name, mine in self.model.state_dict().items()
                  if mine.is_floating_point()]  # fmt: skip
        torch._foreach_lerp_([mine for mine, _ in floats], [new for _, new in floats], weight)

    def encoder(self) -> Callable[[Sequence[Prepared]], NDArray[np.float32]]:
        """As Space.encode_prepared, with the weights of this moment."""
        return lambda batch: encode_batch(self.model, batch)
