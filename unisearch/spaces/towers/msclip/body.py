"""The transformer that both modalities share: attention and MLP without norms of their own."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from unisearch.spaces.towers.msclip.sizes import Sizes

EPS = 1e-12  # of every layer norm
SLOPE = 1.702  # of the quick GELU


def layer_norm(width: int) -> nn.LayerNorm:
    return nn.LayerNorm(width, eps=EPS)


class Norms(nn.Module):
    """What a layer does not share: the norms before attention and before the MLP."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.ln_1 = layer_norm(sizes.width)
        self.ln_2 = layer_norm(sizes.width)


class Layer(Norms):
    """One pre-norm layer, with the norms of texts; pictures pass it with theirs."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__(sizes)
        self.attn = Attention(sizes)
        self.mlp = Mlp(sizes)

    def forward(self, x: Tensor, norms: Norms, causal: bool = False) -> Tensor:
        """(n, t, width) to the same; causal: no token sees one that comes later."""
        x = x + self.attn(norms.ln_1(x), causal)
        mixed: Tensor = x + self.mlp(norms.ln_2(x))
        return mixed


class Attention(nn.Module):
    """Multi-head attention, its keys as torch.nn.MultiheadAttention names them."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.heads = sizes.heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * sizes.width, sizes.width))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * sizes.width))
        self.out_proj = nn.Linear(sizes.width, sizes.width)

    def forward(self, x: Tensor, causal: bool) -> Tensor:
        n, t, width = x.shape
        packed = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        q, k, v = packed.view(n, t, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        out: Tensor = self.out_proj(attended.transpose(1, 2).reshape(n, t, width))
        return out


def quick_gelu(x: Tensor) -> Tensor:
    return x * torch.sigmoid(SLOPE * x)


class Mlp(nn.Module):
    """Two linear layers with the quick GELU between them, unless they contain its factor."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.c_fc = nn.Linear(sizes.width, sizes.mlp)
        self.c_proj = nn.Linear(sizes.mlp, sizes.width)
        self.activation: Callable[[Tensor], Tensor] = quick_gelu

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.c_proj(self.activation(self.c_fc(x)))
        return out
