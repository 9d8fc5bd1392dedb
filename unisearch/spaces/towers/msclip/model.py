"""The network: texts and pictures through one body into one space."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unisearch.spaces.towers.msclip.body import Layer, Norms, layer_norm
from unisearch.spaces.towers.msclip.convolutions import Depthwise, Pointwise, Stem, branch
from unisearch.spaces.towers.msclip.sizes import Sizes


class MsClip(nn.Module):
    """Its state dict has the official keys; of the two names of a shared tensor, that of texts."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(sizes.vocabulary, sizes.width)
        self.positional_embedding = nn.Parameter(torch.empty(sizes.context, sizes.width))
        self.transformer = Body(sizes)
        self.ln_final = layer_norm(sizes.width)
        self.text_projection = nn.Parameter(torch.empty(sizes.width, sizes.dim))
        self.visual = Visual(sizes)
        self.logit_scale = nn.Parameter(torch.empty(()))  # of the training; no vector needs it

    def encode_text(self, tokens: Tensor) -> Tensor:
        """(n, dim), of any length.

        tokens: int64 (n, t <= context), each row ended by the highest id and filled with zeros
        """
        x = self.token_embedding(tokens) + self.positional_embedding[: tokens.shape[1]]
        for layer in self.transformer.resblocks:
            x = layer(x, layer, causal=True)
        ends = x[torch.arange(len(x), device=x.device), tokens.argmax(dim=1)]
        rows: Tensor = self.ln_final(ends) @ self.text_projection
        return rows

    def encode_image(self, pixels: Tensor) -> Tensor:
        """(n, dim), of any length.

        pixels: float (n, 3, side, side), scaled and shifted as `tower.scale_pixels` does
        """
        rows: Tensor = self.visual(pixels, self.transformer.resblocks)
        return rows


class Body(nn.Module):
    """The layers of texts; all but the first are those of pictures as well."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.resblocks = nn.ModuleList(Layer(sizes) for _ in range(sizes.layers))


class Visual(nn.Module):
    """What pictures have of their own around the shared layers."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.class_embedding = nn.Parameter(torch.empty(sizes.width))
        self.positional_embedding = nn.Parameter(torch.empty(1 + sizes.grid**2, sizes.width))
        self.ln_pre = layer_norm(sizes.width)
        self.transformer = VisualBody(sizes)
        self.ln_post = layer_norm(sizes.width)
        self.proj = nn.Parameter(torch.empty(sizes.width, sizes.dim))

    def forward(self, pixels: Tensor, shared: nn.ModuleList) -> Tensor:
        patches = self.transformer.resblocks[0](pixels).flatten(2).transpose(1, 2)
        first = self.class_embedding.to(patches.dtype).expand(len(patches), 1, -1)
        x = self.ln_pre(torch.cat([first, patches], dim=1) + self.positional_embedding)
        x = self.transformer(x, pixels, shared)
        rows: Tensor = self.ln_post(x[:, 0]) @ self.proj
        return rows


class VisualBody(nn.Module):
    """The stem (as layer 0), the norms of the shared layers, and the branch beside them."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        norms = [Norms(sizes) for _ in range(1, sizes.layers)]
        self.resblocks = nn.ModuleList([Stem(sizes), *norms])
        self.parallel_branch_v = branch(sizes)
        self.parallel_lateral_adapter = nn.ModuleList(
            Adapter(sizes, channels, kernel)
            for channels, kernel in zip(sizes.branch, sizes.kernels, strict=True)
        )

    def forward(self, x: Tensor, pixels: Tensor, shared: nn.ModuleList) -> Tensor:
        """Tokens (n, 1 + grid ** 2, width) after the layers from 1 on; the class token is first."""
        beside, stages = (
            pixels,
            zip(self.parallel_branch_v, self.parallel_lateral_adapter, strict=True),
        )
        for i in range(1, len(shared)):
            if i % 2 == 0 and (stage := next(stages, None)):
                beside = stage[0](beside)
                x = stage[1](x, beside)
            x = shared[i](x, self.resblocks[i])
        return x


class Adapter(nn.Module):
    """Merges a map of the side branch into the tokens, which it replaces: there is no residual."""

    def __init__(self, sizes: Sizes, channels: int, kernel: int) -> None:
        super().__init__()
        self.top2bottom_dw_conv = Depthwise(channels, kernel, kernel, 0)
        self.top2bottom_pw_conv = Pointwise(channels, sizes.width)
        self.bottom_dw_conv = Depthwise(sizes.width, 3, 1, 1)
        self.ln_adapt = layer_norm(sizes.width)

    def forward(self, x: Tensor, beside: Tensor) -> Tensor:
        first, patches = x[:, :1], x[:, 1:].transpose(1, 2)  # (n, width, grid ** 2)
        lateral = self.top2bottom_pw_conv(self.top2bottom_dw_conv(beside))  # (n, width, grid, grid)
        merged = lateral + self.bottom_dw_conv(patches.reshape(lateral.shape))
        # The class token stands in front of both summands.
        tokens = torch.cat([first + first, merged.flatten(2).transpose(1, 2)], dim=1)
        adapted: Tensor = self.ln_adapt(tokens)
        return adapted
