"""The network: light stems of each modality into one body that all of them share.

After MS-CLIP (arXiv 2207.12661): attention and MLP are shared; stems, class tokens, positions,
layer norms and projections belong to each modality.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from unisearch.records import Modality
from unisearch.spaces.starter.words import BUCKETS, MAX_WORDS

WIDTH, LAYERS, HEADS, MLP = 192, 4, 6, 576
DIM = 256
TEXT_WIDTH = 128
#: Names in modules may not start with a digit.
KEYS: dict[Modality, str] = {"text": "text", "image": "image", "audio": "audio", "3d": "shape"}


class Starter(nn.Module):
    """Arrays of one modality of KEYS to unit rows; `forward(modality, arrays)`."""

    def __init__(self) -> None:
        super().__init__()
        self.stems = nn.ModuleDict(
            {"text": TextStem(), "image": ImageStem(), "audio": AudioStem(), "shape": ShapeStem()}
        )
        self.body = nn.ModuleList(Block() for _ in range(LAYERS))
        keys = list(KEYS.values())
        self.tokens = nn.ParameterDict(
            {key: nn.Parameter(torch.randn(WIDTH) * 0.02) for key in keys}
        )
        self.norms = nn.ModuleDict({key: nn.LayerNorm(WIDTH) for key in keys})
        self.projections = nn.ModuleDict({key: nn.Linear(WIDTH, DIM) for key in keys})

    def forward(self, modality: Modality, arrays: Sequence[Tensor]) -> Tensor:
        """float (n, DIM), unit rows."""
        key = KEYS[modality]
        tokens, present = self.stems[key](*arrays)  # (n, t, WIDTH), (n, t) or None
        first = self.tokens[key].expand(len(tokens), 1, WIDTH)
        hidden = torch.cat([first.to(tokens.dtype), tokens], dim=1)
        mask = None
        if present is not None:
            mask = F.pad(present, (1, 0), value=True)[:, None, None, :]
        for block in self.body:
            hidden = block(key, hidden, mask)
        hidden = self.norms[key](hidden)
        pooled = hidden[:, 0] + _mean(hidden[:, 1:], present)
        return F.normalize(self.projections[key](pooled).float(), dim=-1)


def _mean(tokens: Tensor, present: Tensor | None) -> Tensor:
    if present is None:
        return tokens.mean(dim=1)
    share = present.to(tokens.dtype) / present.sum(dim=1, keepdim=True)
    return (tokens * share[..., None]).sum(dim=1)


class Block(nn.Module):
    """One pre-norm layer: attention and MLP shared, norms of each modality."""

    def __init__(self) -> None:
        super().__init__()
        self.before = nn.ModuleDict({key: nn.LayerNorm(WIDTH) for key in KEYS.values()})
        self.between = nn.ModuleDict({key: nn.LayerNorm(WIDTH) for key in KEYS.values()})
        self.queries = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, MLP), nn.GELU(), nn.Linear(MLP, WIDTH))

    def forward(self, key: str, hidden: Tensor, mask: Tensor | None) -> Tensor:
        n, t, _ = hidden.shape
        split = self.queries(self.before[key](hidden)).view(n, t, 3, HEADS, WIDTH // HEADS)
        q, k, v = split.permute(2, 0, 3, 1, 4)
        attended = _attend(q, k, v, mask)
        hidden = hidden + self.out(attended.transpose(1, 2).reshape(n, t, WIDTH))
        mixed: Tensor = hidden + self.mlp(self.between[key](hidden))
        return mixed


def _attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """Attention written out: for these short rows ten times faster than torch's on CPU."""
    weights = (q @ k.transpose(-1, -2)) * q.shape[-1] ** -0.5
    if mask is not None:
        weights = weights.masked_fill(~mask, -1e4)
    attended: Tensor = weights.softmax(dim=-1).to(v.dtype) @ v
    return attended


class TextStem(nn.Module):
    """Hashed words (n, words, pieces) to one token per word: the mean of its pieces."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces = nn.Embedding(BUCKETS, TEXT_WIDTH, padding_idx=0)
        nn.init.normal_(self.pieces.weight, std=0.3)
        with torch.no_grad():
            self.pieces.weight[0].zero_()
        self.widen = nn.Linear(TEXT_WIDTH, WIDTH)
        self.positions = nn.Parameter(torch.randn(MAX_WORDS, WIDTH) * 0.01)

    def forward(self, words: Tensor) -> tuple[Tensor, Tensor]:
        filled = (words > 0).sum(dim=-1, keepdim=True)
        mean = self.pieces(words).sum(dim=2) / filled.clamp(min=1)
        tokens = self.widen(mean) + self.positions[: words.shape[1]]
        return tokens, filled[..., 0] > 0


class Residual(nn.Module):
    """Two 3 x 3 convolutions around a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _conv(width, width, 1)
        self.second = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(x + self.second(self.first(x)))


def _conv(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.GELU()
    )


class ImageStem(nn.Module):
    """Pictures (n, 3, side, side) in [-1, 1] to one token per 16 x 16 px.

    Training walks through smaller sides first: positions are interpolated to the grid at hand.
    """

    GRID = 6

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _conv(3, 32, 2), _conv(32, 64, 2), Residual(64),
            _conv(64, 128, 2), Residual(128), Residual(128), _conv(128, WIDTH, 2),
        )  # fmt: skip
        self.positions = nn.Parameter(torch.randn(1, WIDTH, self.GRID, self.GRID) * 0.02)

    def forward(self, pixels: Tensor) -> tuple[Tensor, None]:
        grid = self.layers(pixels)
        positions: Tensor = self.positions
        if grid.shape[-1] != self.GRID:
            positions = F.interpolate(
                positions, grid.shape[-2:], mode="bilinear", align_corners=False
            )
        return (grid + positions).flatten(2).transpose(1, 2), None


class AudioStem(nn.Module):
    """Log-mel pictures (n, frames, bands) to one token per 16 frames x 16 bands."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _conv(1, 32, 2),
            _conv(32, 64, 2),
            _conv(64, 128, 2),
            Residual(128),
            _conv(128, WIDTH, 2),
        )
        self.positions = nn.Parameter(torch.randn(1, WIDTH, 12, 4) * 0.02)

    def forward(self, mels: Tensor) -> tuple[Tensor, None]:
        grid = self.layers(mels[:, None]) + self.positions
        return grid.flatten(2).transpose(1, 2), None


class ShapeStem(nn.Module):
    """Points (n, p, 9) and parts (n, c, 1 + k) to one token per part, placed by its centre."""

    def __init__(self) -> None:
        super().__init__()
        self.point = nn.Sequential(nn.Linear(9, 64), nn.GELU(), nn.Linear(64, 128))
        self.part = nn.Sequential(nn.Linear(128, WIDTH), nn.GELU(), nn.Linear(WIDTH, WIDTH))
        self.place = nn.Sequential(nn.Linear(3, 64), nn.GELU(), nn.Linear(64, WIDTH))

    def forward(self, points: Tensor, parts: Tensor) -> tuple[Tensor, None]:
        n, centres, size = parts.shape
        flat = parts.long().flatten(1)[..., None].expand(-1, -1, points.shape[-1])
        gathered = points.gather(1, flat).view(n, centres, size, -1)
        centre, around = gathered[:, :, 0, :3], gathered[:, :, 1:]
        local = torch.cat(
            [4 * (around[..., :3] - centre[:, :, None]), 2 * around[..., 3:] - 1], dim=-1
        )
        token = self.part(self.point(local).max(dim=2).values) + self.place(centre)
        return token, None
