"""PointBERT of ULIP-2: shapes by their points alone, 512-d, from `pointbert_ULIP-2.pt`.

Sources: X. Yu et al., Point-BERT, 2022; L. Xue et al., ULIP-2, 2023; github.com/salesforce/ULIP.
The network has the official keys and the official function. How it gets there differs: what is
linear one after the other is multiplied out once, and what is the same for a whole part is
computed once for it (see PartEncoder).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import normalize, scaled_dot_product_attention

from unisearch.errors import WeightsError, display
from unisearch.records import Modality
from unisearch.spaces.towers.base import Tower
from unisearch.spaces.towers.folder import digest_of
from unisearch.spaces.towers.points_prepare import POINTS, shape_groups
from unisearch.spaces.towers.prepare import Array, Prepare
from unisearch.spaces.towers.run import precision, upload
from unisearch.spaces.towers.strict import load_strict, read_state

WEIGHTS = "model.safetensors"
HEAD = 64  # channels of one attention head
#: Parts and shapes in one pass. On a CPU what is between two layers should stay in its cache.
PARTS = {"cpu": 32, "cuda": 16_384}
SHAPES = {"cpu": 1, "cuda": 128}


class PointBertTower(Tower):
    """Shapes; raises WeightsError when the folder holds another model, the coloured one too."""

    modalities = ("3d",)
    image_min_side = 192
    points = POINTS

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        file = folder / WEIGHTS
        self.device, self.digest = device, digest_of(folder)
        self.network = load_network(read_state(file), file).to(device)
        self.dim = self.network.pc_projection.shape[1]

    def preparer(self, modality: Modality) -> Prepare:
        return {"3d": shape_groups}[modality]

    def encode(self, modality: Modality, batch: Sequence[Array]) -> torch.Tensor:
        assert modality == "3d"
        size = SHAPES.get(torch.device(self.device).type, 1)
        with precision(self.device):
            rows = [
                self.network(upload(batch[start : start + size], self.device))
                for start in range(0, len(batch), size)
            ]
        return normalize(torch.cat(rows).float(), dim=-1)


def load_network(state: Mapping[str, torch.Tensor], file: Path) -> PointBert:
    """The network of official tensors, ready for use; raises WeightsError unless they fit."""
    network = PointBert(Sizes.of(state, file))
    load_strict(network, state, file)
    network.point_encoder.encoder.multiply_out()
    return network


@dataclass(frozen=True)
class Sizes:
    """Numbers of channels and blocks. Published: those that stand here."""

    first: int = 128
    part: int = 256
    width: int = 384
    hidden: int = 1536
    depth: int = 12
    place: int = 128
    dim: int = 512

    @classmethod
    def of(cls, state: Mapping[str, torch.Tensor], file: Path) -> Sizes:
        """As the tensors have them."""

        def size(key: str, axis: int = 0) -> int:
            if key not in state or state[key].ndim <= axis:
                raise WeightsError(f"{display(file)} lacks '{key}': it is of another model")
            return state[key].shape[axis]

        encoder = "point_encoder."
        if size(f"{encoder}encoder.first_conv.0.weight", 1) != 3:
            raise WeightsError(
                f"{display(file)} is the coloured PointBERT, which no head is published for;"
                " take pointbert_ULIP-2.pt"
            )
        blocks = f"{encoder}blocks.blocks."
        if size(f"{encoder}reduce_dim.weight") % HEAD:
            raise WeightsError(f"{display(file)} has heads of another width than {HEAD}")
        return cls(
            first=size(f"{encoder}encoder.first_conv.0.weight"),
            part=size(f"{encoder}reduce_dim.weight", 1),
            width=size(f"{encoder}reduce_dim.weight"),
            hidden=size(f"{blocks}0.mlp.fc1.weight"),
            depth=len({key.split(".")[3] for key in state if key.startswith(blocks)}),
            place=size(f"{encoder}pos_embed.0.weight"),
            dim=size("pc_projection", 1),
        )


class PointBert(nn.Module):
    """Parts of shapes (n, parts, 1 + points, 3) to rows (n, dim) of any length."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.point_encoder = PointTransformer(sizes)
        self.pc_projection = nn.Parameter(torch.empty(2 * sizes.width, sizes.dim))

    def forward(self, groups: torch.Tensor) -> torch.Tensor:
        rows: torch.Tensor = self.point_encoder(groups) @ self.pc_projection
        return rows


class PointTransformer(nn.Module):
    """Parts of shapes to features (n, 2 * width): that of the whole, and the largest of all."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.empty(1, 1, sizes.width))
        self.cls_pos = nn.Parameter(torch.empty(1, 1, sizes.width))
        self.encoder = PartEncoder(sizes.first, sizes.part)
        self.reduce_dim = nn.Linear(sizes.part, sizes.width)
        self.pos_embed = nn.Sequential(
            nn.Linear(3, sizes.place), nn.GELU(), nn.Linear(sizes.place, sizes.width)
        )
        self.blocks = nn.Module()  # the official keys have the word twice
        self.blocks.blocks = nn.ModuleList(
            Block(sizes.width, sizes.hidden) for _ in range(sizes.depth)
        )
        self.norm = nn.LayerNorm(sizes.width)

    def forward(self, groups: torch.Tensor) -> torch.Tensor:
        count = len(groups)
        parts = self.reduce_dim(self.encoder(groups[:, :, 1:].flatten(0, 1)))
        tokens = parts.unflatten(0, (count, -1))  # (n, parts, width)
        places = self.pos_embed(groups[:, :, 0])
        tokens = torch.cat([self.cls_token.expand(count, -1, -1), tokens], dim=1)
        places = torch.cat([self.cls_pos.expand(count, -1, -1), places], dim=1)
        for block in self.blocks.blocks:  # type: ignore[union-attr]
            tokens = block(tokens + places)
        tokens = self.norm(tokens)
        return torch.cat([tokens[:, 0], tokens[:, 1:].amax(dim=1)], dim=-1)


class PartEncoder(nn.Module):
    """Points of parts (n, points, 3), seen from their centres, to features (n, part).

    Published: h = B2(relu(norm(A x))), then B4(relu(norm(B3 [max h, h]))), the largest over the
    points. Here norms are folded into the layers before them, B3 is split into what the part and
    what the point has to say, and the latter is multiplied with B2: nothing lies between them. The
    sums are made in float64.
    """

    #: Products (in, out) and shifts (out,) of the weights, made by `multiply_out`.
    _in: torch.Tensor
    _in_shift: torch.Tensor
    _up: torch.Tensor
    _own: torch.Tensor
    _whole: torch.Tensor
    _whole_shift: torch.Tensor
    _out: torch.Tensor
    _out_shift: torch.Tensor

    def __init__(self, first: int, part: int) -> None:
        super().__init__()
        inner = 2 * part
        self.first_conv = _pair(3, first, part)
        self.second_conv = _pair(inner, inner, part)

    def multiply_out(self) -> None:
        """Makes the products that `forward` reads from the weights; call after loading."""
        (a, a0), (b, b0) = _folded(self.first_conv)
        (c, c0), (d, d0) = _folded(self.second_conv)
        whole, own = c.chunk(2, dim=1)
        # b0 moves the part's maximum and the point alike: it goes into the shift of the part.
        products = {
            "_in": a.T,
            "_in_shift": a0,
            "_up": b.T,
            "_own": (own @ b).T,
            "_whole": whole.T,
            "_whole_shift": c0 + (whole + own) @ b0,
            "_out": d.T,
            "_out_shift": d0,
        }
        for name, product in products.items():
            self.register_buffer(name, product.float().contiguous(), persistent=False)

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        size = PARTS.get(points.device.type, 32)
        starts = range(0, len(points), size)
        return torch.cat([self._encode(points[start : start + size]) for start in starts])

    def _encode(self, points: torch.Tensor) -> torch.Tensor:
        count, each, _ = points.shape
        inner = torch.addmm(self._in_shift, points.reshape(-1, 3), self._in).relu_()
        highest = (inner @ self._up).view(count, each, -1).amax(dim=1)
        whole = torch.addmm(self._whole_shift, highest, self._whole)
        own = (inner @ self._own).view(count, each, -1)
        joined = own.add_(whole[:, None]).relu_().flatten(0, 1)
        return (joined @ self._out).view(count, each, -1).amax(dim=1) + self._out_shift


def _pair(inputs: int, inner: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(inputs, inner, 1), nn.BatchNorm1d(inner), nn.ReLU(), nn.Conv1d(inner, outputs, 1)
    )


def _folded(pair: nn.Sequential) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Weights (out, in) and shifts of both layers in float64, the norm folded into the first."""
    state = {key: tensor.double() for key, tensor in pair.state_dict().items()}
    scale = state["1.weight"] / (state["1.running_var"] + pair[1].eps).sqrt()
    weight, shift = state["0.weight"][..., 0], state["0.bias"] - state["1.running_mean"]
    return [
        (weight * scale[:, None], shift * scale + state["1.bias"]),
        (state["3.weight"][..., 0], state["3.bias"]),
    ]


class Block(nn.Module):
    """Attention, then a perceptron, each behind a norm and added to what it read."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = Attention(width)
        self.mlp = Perceptron(width, hidden)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        seen: torch.Tensor = tokens + self.attn(self.norm1(tokens))
        return seen.add_(self.mlp(self.norm2(seen)))


class Attention(nn.Module):
    """Each token looks at all, in heads of HEAD channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        query, key, value = self.qkv(tokens).unflatten(-1, (3, -1, HEAD)).permute(2, 0, 3, 1, 4)
        seen = scaled_dot_product_attention(query, key, value)  # (n, heads, tokens, HEAD)
        found: torch.Tensor = self.proj(seen.transpose(1, 2).flatten(2))
        return found


class Perceptron(nn.Module):
    """Two layers with an exact GELU between them."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.fc2(torch.ops.aten.gelu_(self.fc1(tokens)))
        return found
