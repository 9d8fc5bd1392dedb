"""The starter space: its weights, and vectors from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file as load_arrays
from safetensors.torch import load_file
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from unisearch.errors import WeightsError
from unisearch.records import (
    MODALITIES,
    Modality,
    Prepared,
    Sample,
    seen_as,
)
from unisearch.spaces.base import Space
from unisearch.spaces.starter import prepare
from unisearch.spaces.starter.model import DIM, Starter
from unisearch.spaces.starter.samples import prepare_sample
from unisearch.spaces.starter.words import MAX_WORDS
from unisearch.threads import side_by_side

WEIGHTS, REFERENCE = "model.safetensors", "reference.safetensors"
#: Samples in one pass. On a CPU what is between two layers should stay in its cache: 64 windows of
#: 10 s at once take a third longer than 16 at a time.
BATCH = {"cpu": 16, "cuda": 128}


class StarterSpace(Space):
    """Vectors of the network in a folder of verified weights.

    It declares no quality: its exam is the small world that it was trained for, and no figure of it
    can be held against what others reach on public sets.
    Raises WeightsError when the folder lacks them or they are of another network.
    """

    name = "starter"
    dim = DIM
    modalities = MODALITIES
    image_min_side = 2 * prepare.SIDE
    audio_rate_hz = prepare.RATE_HZ
    points = 2 * prepare.POINTS

    def __init__(self, weights: Mapping[str, Path], device: str = "cpu") -> None:
        if "starter" not in weights:
            raise WeightsError("the space 'starter' needs the folder of its weights")
        folder = weights["starter"]
        self.device = device
        self.id = f"starter-{_digest(folder)}-{prepare.VERSION}"
        self._model = _load(folder / WEIGHTS).to(device)
        self._reference_file = folder / REFERENCE

    @property
    def preparer(self) -> Callable[[Sample], Prepared]:
        return prepare_sample

    def encode_prepared(self, batch: Sequence[Prepared]) -> NDArray[np.float32]:
        return encode_batch(self._model, batch)

    def reference(self, modality: Modality) -> NDArray[np.float32]:
        try:
            return self._references[seen_as(modality)]
        except KeyError as error:
            raise WeightsError(f"{self._reference_file} has no rows of '{modality}'") from error

    @cached_property
    def _references(self) -> dict[str, NDArray[np.float32]]:
        """Unit rows by modality, as they are needed for every question."""
        try:
            stored = load_arrays(self._reference_file)
        except OSError as error:
            raise WeightsError(f"cannot read {self._reference_file}: {error.strerror}") from error
        rows = {name: table.astype(np.float32) for name, table in stored.items()}
        return {
            name: table / np.linalg.norm(table, axis=1, keepdims=True)
            for name, table in rows.items()
        }


def encode_batch(model: Starter, batch: Sequence[Prepared]) -> NDArray[np.float32]:
    """Unit rows (n, DIM) in order, on the device of the model.

    A CPU's cores take a chunk each; a GPU works on one while the next one is stacked here.
    """
    device = next(model.parameters()).device.type

    def encoded(chunk: Sequence[int]) -> torch.Tensor:
        modality = seen_as(batch[chunk[0]].modality)
        return _halving(model, modality, [batch[place].arrays for place in chunk])

    chunks = _chunks(batch, BATCH.get(device, 16))
    found = side_by_side(encoded, chunks) if device == "cpu" else list(map(encoded, chunks))
    rows = np.empty((len(batch), DIM), np.float32)
    for chunk, vectors in zip(chunks, found, strict=True):
        rows[chunk] = vectors.cpu().numpy()
    return rows


def _chunks(batch: Sequence[Prepared], size: int) -> list[list[int]]:
    """The places of samples that pass the network together: of one modality, `size` at most."""
    places: dict[Modality, list[int]] = defaultdict(list)
    for place, prepared in enumerate(batch):
        places[seen_as(prepared.modality)].append(place)
    return [
        wanted[start : start + size]
        for wanted in places.values()
        for start in range(0, len(wanted), size)
    ]


def _halving(
    model: Starter, modality: Modality, batch: list[tuple[NDArray[np.generic], ...]]
) -> torch.Tensor:
    """Rows of a batch, in two halves when the device has no memory for the whole."""
    try:
        return _encode(model, modality, batch)
    except torch.OutOfMemoryError:
        if len(batch) == 1:
            raise
    # Here the error is gone, and with it what its frames held on the device.
    torch.cuda.empty_cache()
    half = len(batch) // 2
    return torch.cat([_halving(model, modality, part) for part in (batch[:half], batch[half:])])


def _encode(
    model: Starter, modality: Modality, batch: list[tuple[NDArray[np.generic], ...]]
) -> torch.Tensor:
    """float32 (n, DIM) on the device, where it may still be computed on return."""
    device = next(model.parameters()).device
    on_gpu = device.type == "cuda"
    parts = stack(modality, batch)
    if on_gpu:  # from pinned memory a copy goes on while we do
        parts = [part.pin_memory() for part in parts]
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=on_gpu):
        rows = model(modality, [part.to(device, non_blocking=on_gpu) for part in parts])
        if modality in ("audio", "text"):
            rows = _mean_of_pieces(rows, [len(_cut(modality, arrays)) for arrays in batch])
        found: torch.Tensor = rows.float()
    return found


def stack(
    modality: Modality, batch: Sequence[tuple[NDArray[np.generic], ...]]
) -> list[torch.Tensor]:
    """The arrays of a batch as the network's inputs; the pieces of all sounds or texts in one row.

    More than the network reads at once comes in pieces, whose rows are averaged.
    """
    if modality in ("audio", "text"):
        pieces = [piece for arrays in batch for piece in _cut(modality, arrays)]
        longest = max(len(piece) for piece in pieces)
        padded = [
            piece if len(piece) == longest else np.pad(piece, ((0, longest - len(piece)), (0, 0)))
            for piece in pieces
        ]
        return [torch.from_numpy(np.stack(padded))]
    columns = [torch.from_numpy(np.stack(column)) for column in zip(*batch, strict=True)]
    if modality == "image":
        return [scale_pixels(columns[0].permute(0, 3, 1, 2))]
    return columns


def _cut(
    modality: Modality, arrays: tuple[NDArray[np.generic], ...]
) -> Sequence[NDArray[np.generic]]:
    """The pieces of one sound (windows of mel) or text (runs of words, about equally long)."""
    if modality == "audio":
        return list(arrays[0])
    return np.array_split(arrays[0], -(-len(arrays[0]) // MAX_WORDS))


def scale_pixels(pixels: torch.Tensor) -> torch.Tensor:
    """uint8 to [-1, 1]."""
    return pixels.float() / 127.5 - 1.0


def _mean_of_pieces(rows: torch.Tensor, counts: list[int]) -> torch.Tensor:
    means = torch.stack([part.mean(dim=0) for part in torch.split(rows, counts)])
    return torch.nn.functional.normalize(means, dim=-1)


def _load(path: Path) -> Starter:
    model = Starter()
    try:
        state = {
            name: tensor.float() if tensor.is_floating_point() else tensor
            for name, tensor in load_file(path).items()
        }
        model.load_state_dict(state)
    except Exception as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise WeightsError(f"{path} holds no weights of the starter network: {first}") from error
    return fused(model.eval().requires_grad_(False))


def fused(model: Starter) -> Starter:
    """The same network with its batch norms folded into the convolutions before them."""
    for layers in list(model.modules()):
        if isinstance(layers, nn.Sequential) and len(layers) > 1:
            first, second = layers[0], layers[1]
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                layers[0], layers[1] = fuse_conv_bn_eval(first, second), nn.Identity()
    return model


def _digest(weights: Path) -> str:
    """The first digits of the weights' digest, as their verified manifest has it."""
    import json

    try:
        manifest = json.loads((weights / "manifest.json").read_text("utf-8"))
        return str(manifest["files"][WEIGHTS])[:12]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{weights / 'manifest.json'} names no digest of {WEIGHTS}") from error
