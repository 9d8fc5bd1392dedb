"""What the three towers have in common: pre-norm transformer blocks."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from unisearch.spaces.towers.imagebind.sizes import Sizes


def layer_norm(width: int) -> nn.LayerNorm:
    """As in trunks and heads."""
    return nn.LayerNorm(width, eps=1e-6)


class Trunk(nn.Module):
    """Blocks one after the other; before the first of the vision tower a norm.

    extra: whether attention has one learned key and value of its own (the audio tower)
    """

    def __init__(self, sizes: Sizes, *, norm_first: bool = False, extra: bool = False) -> None:
        super().__init__()
        if norm_first:
            self.pre_transformer_layer = nn.Sequential(layer_norm(sizes.width))
        self.blocks = nn.ModuleList(Block(sizes, extra=extra) for _ in range(sizes.blocks))
        self._norm_first = norm_first

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(n, t, width) to the same; mask: (t, t), added to the scores of attention."""
        if self._norm_first:
            x = self.pre_transformer_layer(x)
        for block in self.blocks:
            x = block(x, mask)
        return x


class Block(nn.Module):
    """x + attention, then x + MLP, each of the normed x."""

    def __init__(self, sizes: Sizes, *, extra: bool) -> None:
        super().__init__()
        self.attn = Attention(sizes, extra=extra)
        self.norm_1 = layer_norm(sizes.width)
        self.mlp = Mlp(sizes)
        self.norm_2 = layer_norm(sizes.width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = x + self.attn(self.norm_1(x), mask)
        out: Tensor = x + self.mlp(self.norm_2(x))
        return out


class Attention(nn.Module):
    """Multi-head attention, its keys as torch.nn.MultiheadAttention names them."""

    def __init__(self, sizes: Sizes, *, extra: bool) -> None:
        super().__init__()
        self.heads = sizes.heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * sizes.width, sizes.width))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * sizes.width))
        self.bias_k = nn.Parameter(torch.empty(1, 1, sizes.width)) if extra else None
        self.bias_v = nn.Parameter(torch.empty(1, 1, sizes.width)) if extra else None
        self.out_proj = nn.Linear(sizes.width, sizes.width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        n, t, width = x.shape
        q, k, v = F.linear(x, self.in_proj_weight, self.in_proj_bias).chunk(3, dim=-1)
        if self.bias_k is not None and self.bias_v is not None:
            k = torch.cat([k, self.bias_k.to(k.dtype).expand(n, 1, width)], dim=1)
            v = torch.cat([v, self.bias_v.to(v.dtype).expand(n, 1, width)], dim=1)
        shape = (n, -1, self.heads, width // self.heads)
        q, k, v = (one.view(shape).transpose(1, 2) for one in (q, k, v))
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        out: Tensor = self.out_proj(attended.transpose(1, 2).reshape(n, t, width))
        return out


class Mlp(nn.Module):
    """Two linear layers with the exact GELU between them."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.fc1 = nn.Linear(sizes.width, sizes.mlp)
        self.fc2 = nn.Linear(sizes.mlp, sizes.width)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return out
