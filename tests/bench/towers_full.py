"""Published models at their real sizes with random weights, in their official layouts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch
from torch import nn
from transformers import CLIPConfig, CLIPModel, SiglipConfig, SiglipModel

from tests.bench.towers_clap import put_real_size
from tests.bench.towers_msclip import SIZES as MSCLIP
from tests.merges import put_excerpt
from tests.spaces.tiny import manifest, put_clip, put_network, put_siglip
from unisearch.spaces.towers.base import Tower
from unisearch.spaces.towers.clap import ClapTower
from unisearch.spaces.towers.clip import ClipTower
from unisearch.spaces.towers.imagebind.network import ImageBind
from unisearch.spaces.towers.imagebind.sizes import Sizes as ImageBindSizes
from unisearch.spaces.towers.imagebind.tower import ImageBindTower
from unisearch.spaces.towers.msclip.model import MsClip
from unisearch.spaces.towers.msclip.tower import MsClipTower
from unisearch.spaces.towers.pointbert import PointBert, PointBertTower
from unisearch.spaces.towers.pointbert import Sizes as PointBertSizes
from unisearch.spaces.towers.siglip import SiglipTower

IMAGEBIND = {
    "vision": ImageBindSizes(1280, 32, 16, 5120, 1024, tokens=257, patch=14),
    "text": ImageBindSizes(1024, 24, 16, 4096, 1024, tokens=77, vocabulary=49_408),
    "audio": ImageBindSizes(768, 12, 12, 3072, 1024, tokens=229),
}


def put_clip_full(folder: Path) -> None:
    """OpenAI's ViT-B/32; its vocabulary is of single bytes, which changes no product."""
    put_clip(folder)
    small = CLIPConfig.from_pretrained(folder)
    ends = {name: getattr(small.text_config, name) for name in ("bos_token_id", "eos_token_id")}
    config = CLIPConfig(text_config={**ends, "vocab_size": 49_408})
    config.save_pretrained(folder)
    _of_224_px(folder)
    put_network(folder, CLIPModel(config))


def put_siglip_full(folder: Path) -> None:
    """SigLIP 2 B/16 at 224 px, with its vocabulary's size."""
    put_siglip(folder)
    ends = {"bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0}
    text = {**ends, "vocab_size": 256_000, "projection_size": 768}
    config = SiglipConfig(text_config=text, vision_config={"patch_size": 16})
    config.save_pretrained(folder)
    _of_224_px(folder)
    put_network(folder, SiglipModel(config))


def _of_224_px(folder: Path) -> None:
    file = folder / "preprocessor_config.json"
    file.write_text(file.read_text("utf-8").replace("32", "224"), "utf-8")


def put_msclip_full(folder: Path, name: str) -> None:
    """MS-CLIP-S, B/32 or B/16."""
    put_excerpt(folder)
    put_network(folder, MsClip(MSCLIP[name]))


def put_ulip_full(folder: Path) -> None:
    """PointBERT of ULIP-2."""
    put_network(folder, PointBert(PointBertSizes()))


def put_imagebind_full(folder: Path) -> None:
    """The three towers of ImageBind-huge, 4.3 GB: all weights alike, which costs no less."""
    put_excerpt(folder)
    with torch.device("meta"):
        network: nn.Module = ImageBind(IMAGEBIND)
    state = {key: torch.full(one.shape, 0.01) for key, one in network.state_dict().items()}
    from safetensors.torch import save_file

    state["modality_preprocessors.text.mask"] = torch.full((77, 77), -torch.inf).triu(1)
    save_file(state, folder / "model.safetensors")


#: How each is written and opened, by the name of its model.
FULL: Mapping[str, tuple[Callable[[Path], None], Callable[[Path], Tower]]] = {
    "clip-vit-b-32": (put_clip_full, ClipTower),
    "siglip2-base": (put_siglip_full, SiglipTower),
    "clap-630k-fusion": (partial(put_real_size, model="clap-630k-fusion"), ClapTower),
    "clap-music-speech": (partial(put_real_size, model="clap-music-speech"), ClapTower),
    "ulip2-pointbert": (put_ulip_full, PointBertTower),
    "msclip-s-b32": (partial(put_msclip_full, name="msclip_b32"), MsClipTower),
    "msclip-s-b16": (partial(put_msclip_full, name="msclip_b16"), MsClipTower),
    "imagebind-huge": (put_imagebind_full, ImageBindTower),
}


def put_full(model: str, folder: Path) -> Tower:
    """That model below `folder`, written unless it is there, and opened."""
    put, opened = FULL[model]
    if not (folder / model / "manifest.json").is_file():
        (folder / model).mkdir(parents=True, exist_ok=True)
        put(folder / model)
        manifest(folder / model)
    return opened(folder / model)
