"""The towers from input to vector, their keys as the published checkpoint has them.

Not here are the factors that the published network multiplies its vectors by (`log_logit_scale`):
they are constant for each modality, and vectors leave a tower at unit length.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from unisearch.spaces.towers.imagebind.blocks import Trunk, layer_norm
from unisearch.spaces.towers.imagebind.sizes import AUDIO_PATCH, AUDIO_STRIDE, Sizes


class ImageBind(nn.Module):
    """The towers by the names 'vision', 'text' and 'audio', those that `sizes` names."""

    def __init__(self, sizes: Mapping[str, Sizes]) -> None:
        super().__init__()
        inputs = {"vision": VisionInput, "text": TextInput, "audio": AudioInput}
        self.modality_preprocessors = nn.ModuleDict(
            {tower: inputs[tower](of) for tower, of in sizes.items()}
        )
        self.modality_trunks = nn.ModuleDict(
            {
                tower: Trunk(of, norm_first=tower == "vision", extra=tower == "audio")
                for tower, of in sizes.items()
            }
        )
        self.modality_heads = nn.ModuleDict(
            {tower: TextHead(of) if tower == "text" else Head(of) for tower, of in sizes.items()}
        )
        self.modality_postprocessors = nn.ModuleDict(
            {tower: nn.ModuleList([nn.Identity(), Scale()]) for tower in sizes if tower != "vision"}
        )

    def vision(self, pixels: Tensor) -> Tensor:
        """(n, dim) of pictures (n, 3, side, side), normalised."""
        x = self.modality_preprocessors["vision"](pixels)
        return self._seen("vision", x)

    def audio(self, mel: Tensor) -> Tensor:
        """(n, dim) of clips (n, 1, MEL_BANDS, MEL_FRAMES), normalised."""
        x = self.modality_preprocessors["audio"](mel)
        return self._seen("audio", x)

    def text(self, ids: Tensor) -> Tensor:
        """(n, dim) of texts (n, t): start, words, end, then zeros; the end has the highest id."""
        first = cast(TextInput, self.modality_preprocessors["text"])
        x = self.modality_trunks["text"](first(ids), first.mask_of(ids.shape[1]))
        last = x[torch.arange(len(x), device=x.device), ids.argmax(dim=-1)]
        found: Tensor = self.modality_heads["text"](last)
        return found

    def _seen(self, tower: str, x: Tensor) -> Tensor:
        found: Tensor = self.modality_heads[tower](self.modality_trunks[tower](x)[:, 0])
        return found


class VisionInput(nn.Module):
    """Patches of a picture. The published tower sees two frames, and a picture as both."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.empty(1, 1, sizes.width))
        video = nn.Conv3d(
            3, sizes.width, (2, sizes.patch, sizes.patch), (2, sizes.patch, sizes.patch), bias=False
        )
        self.rgbt_stem = nn.ModuleDict({"proj": nn.ModuleList([nn.Identity(), video])})
        self.pos_embedding_helper = Positions(sizes)
        self._patch = sizes.patch

    def forward(self, pixels: Tensor) -> Tensor:
        """(n, tokens, width) of (n, 3, side, side)."""
        video = cast(nn.Conv3d, cast(nn.ModuleList, self.rgbt_stem["proj"])[1])
        # Equal frames: the sum of both kernels sees one, at half the cost.
        patches = F.conv2d(pixels, video.weight.sum(dim=2), stride=self._patch)
        found: Tensor = self.pos_embedding_helper(self.cls_token, patches)
        return found


class AudioInput(nn.Module):
    """Patches of a log-mel picture; its stem is published under the name of the vision stem."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.empty(1, 1, sizes.width))
        self.rgbt_stem = nn.ModuleDict(
            {
                "proj": nn.Conv2d(1, sizes.width, AUDIO_PATCH, AUDIO_STRIDE, bias=False),
                "norm_layer": nn.LayerNorm(sizes.width),  # eps 1e-5, unlike all others
            }
        )
        self.pos_embedding_helper = Positions(sizes)

    def forward(self, mel: Tensor) -> Tensor:
        """(n, tokens, width) of (n, 1, MEL_BANDS, MEL_FRAMES)."""
        patches = self.rgbt_stem["proj"](mel).permute(0, 2, 3, 1)
        normed = self.rgbt_stem["norm_layer"](patches).permute(0, 3, 1, 2)
        found: Tensor = self.pos_embedding_helper(self.cls_token, normed)
        return found


class Positions(nn.Module):
    """The class token before the patches, and to each its place."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.pos_embed = nn.Parameter(torch.empty(1, sizes.tokens, sizes.width))

    def forward(self, cls_token: Tensor, patches: Tensor) -> Tensor:
        """(n, 1 + h * w, width) of patches (n, width, h, w)."""
        rows = patches.flatten(2).transpose(1, 2)
        return torch.cat([cls_token.expand(len(rows), -1, -1), rows], dim=1) + self.pos_embed


class TextInput(nn.Module):
    """Embeddings of tokens and places; the causal mask is stored with the weights."""

    mask: Tensor

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.pos_embed = nn.Parameter(torch.empty(1, sizes.tokens, sizes.width))
        self.token_embedding = nn.Embedding(sizes.vocabulary, sizes.width)
        self.register_buffer("mask", torch.empty(sizes.tokens, sizes.tokens))

    def forward(self, ids: Tensor) -> Tensor:
        """(n, t, width) of ids (n, t), t up to the longest that it reads."""
        found: Tensor = self.token_embedding(ids) + self.pos_embed[:, : ids.shape[1]]
        return found

    def mask_of(self, length: int) -> Tensor:
        """(length, length), minus infinity where a token must not look."""
        return self.mask[:length, :length]


class Head(nn.Sequential):
    """Of the class token (n, width) to the shared space (n, dim)."""

    def __init__(self, sizes: Sizes) -> None:
        # In the published network the class token is selected between norm and projection.
        super().__init__(
            layer_norm(sizes.width), nn.Identity(), nn.Linear(sizes.width, sizes.dim, bias=False)
        )


class TextHead(nn.Module):
    """Of the end token (n, width) to the shared space (n, dim)."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.proj = nn.Sequential(
            layer_norm(sizes.width), nn.Linear(sizes.width, sizes.dim, bias=False)
        )

    def forward(self, last: Tensor) -> Tensor:
        found: Tensor = self.proj(last)
        return found


class Scale(nn.Module):
    """The factor of a modality's vectors: in the file, without effect on unit vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.log_logit_scale = nn.Parameter(torch.empty(()))
