"""The attention of HTSAT's windows in fewer steps than transformers takes: the same numbers."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention


class WindowAttention(nn.Module):
    """Attention within windows of a picture, with a bias for each pair of places.

    One product for queries, keys and values, and the scores never as a whole in memory. In place of
    transformers' ClapAudioSelfAttention, whose loaded weights it takes over.
    """

    bias: torch.Tensor

    def __init__(self, loaded: Any) -> None:
        super().__init__()
        parts = (loaded.query, loaded.key, loaded.value)
        self.heads = int(loaded.num_attention_heads)
        self.weight = nn.Parameter(torch.cat([part.weight for part in parts]), False)
        shifts = [part.bias for part in parts if part.bias is not None]
        self.shift = nn.Parameter(torch.cat(shifts), False) if shifts else None
        index = loaded.relative_position_index
        bias = loaded.relative_position_bias_table[index]  # (places, places, heads)
        self.register_buffer("bias", bias.permute(2, 0, 1).contiguous())

    def forward(
        self, hidden: torch.Tensor, mask: torch.Tensor | None = None, _outputs: bool = False
    ) -> tuple[torch.Tensor]:
        """(n, places, width) as given.

        mask: (windows, places, places), added to the scores of the windows of each picture
        """
        count, places, width = hidden.shape
        joint = nn.functional.linear(hidden, self.weight, self.shift)
        split = joint.view(count, places, 3, self.heads, width // self.heads)
        queries, keys, values = split.permute(2, 0, 3, 1, 4)
        bias = self.bias
        if mask is not None:
            bias = (bias + mask[:, None]).repeat(count // len(mask), 1, 1, 1)
        mixed = scaled_dot_product_attention(
            queries, keys, values, attn_mask=bias.to(queries.dtype)
        )
        return (mixed.transpose(1, 2).reshape(count, places, width),)


def quicken(encoder: Any) -> None:
    """Puts it into every block of a loaded ClapAudioEncoder."""
    for layer in encoder.layers:
        for block in layer.blocks:
            block.attention.self = WindowAttention(block.attention.self)
