"""Published models in their official formats, tiny and random: what tests load instead of weights.

One function `put_X(folder)` for each model; all of them stand in TINY by the names of the models.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import save_file
from torch import nn

from tests.merges import put_few
from unisearch.models.find import MANIFEST, sha256, verify
from unisearch.records import seen_as
from unisearch.spaces.base import Space
from unisearch.spaces.table import load_space, models_of

State = dict[str, torch.Tensor]


def randomise(network: nn.Module, seed: int = 0) -> dict[str, torch.Tensor]:
    """Fixed random numbers for every key, so that different inputs get clearly different rows."""
    numbers = torch.Generator().manual_seed(seed)
    state = {}
    for key, tensor in network.state_dict().items():
        if not tensor.is_floating_point():
            state[key] = tensor.clone()
            continue
        drawn = torch.randn(tensor.shape, generator=numbers)
        if key.endswith("running_var"):
            drawn = drawn.abs() + 0.5
        elif tensor.ndim == 1 and key.endswith("weight"):
            drawn = 1 + 0.1 * drawn
        elif tensor.ndim > 1:
            drawn = drawn / max(1, tensor[0].numel()) ** 0.5
        else:
            drawn = 0.02 * drawn
        state[key] = drawn.contiguous()
    return state


def manifest(folder: Path) -> None:
    """The manifest of all files of a model's folder, as `unisearch models` writes it."""
    files = {
        path.name: sha256(path)
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != MANIFEST
    }
    facts = {"name": folder.name, "source": "made by tests", "licence": "none", "commercial": True}
    (folder / MANIFEST).write_text(json.dumps({**facts, "files": files}), "utf-8")


def put_network(folder: Path, network: nn.Module, seed: int = 0) -> None:
    """model.safetensors with random numbers for every key of a network."""
    save_file(randomise(network, seed), folder / "model.safetensors", metadata={"format": "pt"})


def put_json(path: Path, value: object) -> None:
    """A JSON file."""
    path.write_text(json.dumps(value), "utf-8")


def put_clip(folder: Path) -> None:
    """CLIP as openai/clip-vit-base-patch32, of 32 px and 24 numbers; texts of 77 tokens."""
    from transformers import CLIPConfig, CLIPModel, CLIPTokenizer
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    signs = list(bytes_to_unicode().values())
    words = [*signs, *(sign + "</w>" for sign in signs), "<|startoftext|>", "<|endoftext|>"]
    CLIPTokenizer({word: number for number, word in enumerate(words)}, []).save_pretrained(folder)
    layers = {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    text = {**layers, "hidden_size": 32, "vocab_size": len(words), "max_position_embeddings": 77}
    marks = {"bos_token_id": len(words) - 2, "eos_token_id": len(words) - 1, "pad_token_id": 1}
    vision = {**layers, "hidden_size": 48, "image_size": 32, "patch_size": 8}
    config = CLIPConfig(text_config={**text, **marks}, vision_config=vision, projection_dim=24)
    config.save_pretrained(folder)
    mean, std = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
    pictures = {"size": 32, "crop_size": 32, "resample": 3, "image_mean": mean, "image_std": std}
    put_json(folder / "preprocessor_config.json", pictures)
    put_network(folder, CLIPModel(config))


def put_siglip(folder: Path) -> None:
    """SigLIP 2 as google/siglip2-base-patch16-224, of 32 px and 24 numbers; texts of 16 tokens."""
    from transformers import SiglipConfig, SiglipModel
    from transformers.models.siglip2.tokenization_siglip2 import Siglip2Tokenizer

    marks = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    words = [*marks, "▁", *(f"<0x{byte:02X}>" for byte in range(256)), *map(chr, range(33, 127))]
    Siglip2Tokenizer({word: place for place, word in enumerate(words)}, []).save_pretrained(folder)
    layers = {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    text = {**layers, "hidden_size": 24, "vocab_size": len(words), "max_position_embeddings": 16}
    numbers = {"bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0, "projection_size": 24}
    vision = {**layers, "hidden_size": 24, "image_size": 32, "patch_size": 8}
    config = SiglipConfig(text_config={**text, **numbers}, vision_config=vision)
    config.save_pretrained(folder)
    size, half = {"height": 32, "width": 32}, [0.5, 0.5, 0.5]
    pictures = {"size": size, "resample": 2, "image_mean": half, "image_std": half}
    put_json(folder / "preprocessor_config.json", pictures)
    put_network(folder, SiglipModel(config))


def put_clap_words(folder: Path) -> None:
    """A vocabulary as roberta-base has it: single bytes, no merges."""
    from transformers import RobertaTokenizer
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    words = ["<s>", "<pad>", "</s>", "<unk>", *bytes_to_unicode().values(), "<mask>"]
    RobertaTokenizer({word: place for place, word in enumerate(words)}, []).save_pretrained(folder)


def put_clap(folder: Path, fusion: bool = True) -> None:
    """LAION-CLAP in the layout of transformers, of 24 numbers; texts of 77 tokens."""
    from transformers import ClapConfig, ClapModel

    put_clap_words(folder)
    text = {"vocab_size": 261, "hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 64}
    more = {"num_attention_heads": 2, "max_position_embeddings": 80, "layer_norm_eps": 1e-5}
    width = {"patch_embeds_hidden_size": 8, "hidden_size": 32, "aff_block_r": 2}
    layers = {"depths": [1, 2, 1], "num_attention_heads": [1, 2, 4], "window_size": 8}
    audio = {**width, **layers, "enable_fusion": fusion}
    audio["fusion_type"] = "aff_2d" if fusion else None
    config = ClapConfig(text_config={**text, **more}, audio_config=audio, projection_dim=24)
    config.save_pretrained(folder)
    put_network(folder, ClapModel(config))


def put_msclip(folder: Path, kernels: tuple[int, ...] = (16, 8, 4, 2, 1)) -> None:
    """MS-CLIP-S of 64 px and 24 numbers, B/32 or with the kernels of B/16; texts of 77 tokens."""
    from unisearch.spaces.towers.msclip.model import MsClip
    from unisearch.spaces.towers.msclip.sizes import Sizes

    channels, grid = (4, 8, 16, 32, 64), 32 // kernels[0]
    sizes = Sizes(put_few(folder), 77, 128, 128, 12, 24, grid, channels, channels, kernels)
    put_network(folder, MsClip(sizes))


def put_ulip(folder: Path) -> None:
    """PointBERT of ULIP-2 of 24 numbers: one head of 64 channels, two blocks."""
    from unisearch.spaces.towers.pointbert import PointBert, Sizes

    sizes = Sizes(first=8, part=12, width=64, hidden=96, depth=2, place=16, dim=24)
    put_network(folder, PointBert(sizes))


def put_exmcr_heads(folder: Path) -> None:
    """Both heads of Ex-MCR, of 24 numbers, as an import stores them."""
    from unisearch.spaces.towers.heads import ExHead

    heads = nn.ModuleDict({"ex_clap": ExHead(24, 48), "ex_ulip": ExHead(24, 48)})
    put_network(folder, heads)


def put_cmcr_clap_clip(folder: Path) -> None:
    """The heads of C-MCR for CLAP (A) and CLIP (B), of 24 numbers."""
    from unisearch.spaces.towers.heads import DeepHead

    put_network(folder, nn.ModuleDict({"Head_A": DeepHead(24, 48), "Head_B": DeepHead(24, 48)}))


def put_cmcr_ulip_clip(folder: Path) -> None:
    """The heads of C-MCR for CLIP (A) and ULIP-2 (B), of 24 numbers."""
    from unisearch.spaces.towers.heads import FlatHead

    put_network(folder, nn.ModuleDict({"Head_A": FlatHead(24), "Head_B": FlatHead(24)}))


def put_imagebind(folder: Path) -> None:
    """ImageBind of 24 px and 32 numbers: one head of attention, two blocks; texts of 77 tokens."""
    save_file(imagebind_state(put_few(folder)), folder / "model.safetensors")


def imagebind_state(
    vocabulary: int = 0, towers: Sequence[str] = ("vision", "text", "audio")
) -> State:
    """Random numbers for the official keys of those towers."""
    from unisearch.spaces.towers.imagebind.network import ImageBind
    from unisearch.spaces.towers.imagebind.sizes import Sizes

    sizes = {
        "vision": Sizes(80, 2, 1, 96, 32, tokens=10, patch=8),
        "text": Sizes(64, 2, 1, 96, 32, tokens=77, vocabulary=vocabulary),
        "audio": Sizes(64, 2, 1, 96, 32, tokens=229),
    }
    state = randomise(ImageBind({tower: sizes[tower] for tower in towers}))
    if "text" in towers:
        state["modality_preprocessors.text.mask"] = torch.full((77, 77), -torch.inf).triu(1)
    return state


def put_ib_pp(folder: Path) -> None:
    """The fourteen heads of CLAP, of 24 numbers, into ImageBind, of 32."""
    put_projectors(folder, "freebind-ib-pp", 24, 32)


def put_projectors(folder: Path, model: str, inputs: int, outputs: int) -> None:
    """The heads of a FreeBind model in one file, as an import makes it of the published ones."""
    from unisearch.models.recipes import freebind
    from unisearch.spaces.published.freebind import head_names

    files = {
        f"{name}/best.pt": reaction_head(inputs, outputs, place)
        for place, name in enumerate(head_names(model))
    }
    save_file(freebind.convert(files).state, folder / "model.safetensors")


def reaction_head(inputs: int, outputs: int, seed: int) -> State:
    """One published head of FreeBind."""
    from unisearch.spaces.towers.reaction import ReactionHead

    return randomise(ReactionHead(inputs, 16, outputs), seed)


def put_tuned(folder: Path) -> None:
    """The fine-tuned audio tower of FreeBind with its seven heads, as an import stores them."""
    from unisearch.models.recipes import freebind

    tower = {f"ib.{key}": tensor for key, tensor in imagebind_state(towers=["audio"]).items()}
    heads = {
        f"ib_head.projectors.{place}.{key}": tensor
        for place in range(7)
        for key, tensor in reaction_head(32, 768, 100 + place).items()
    }
    state = freebind.convert({"DrvtFT_audio_with_head.pt": tower | heads}).state
    save_file(state, folder / "model.safetensors")


#: The publisher's code of the tiny InternVL.
INTERNVL_CODE = Path(__file__).with_name("internvl_code.py")


def put_internvl(folder: Path, mark: Path | None = None) -> None:
    """A snapshot in the layout of InternVL-14B-224px, with code of its publisher, of 32 px.

    mark: a file that the code makes when it runs
    """
    from transformers import LlamaTokenizer

    words = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁"]
    LlamaTokenizer({word: place for place, word in enumerate(words)}, []).save_pretrained(folder)
    shutil.copy(INTERNVL_CODE, folder / "modeling_tiny.py")
    code = {"AutoConfig": "modeling_tiny.TinyConfig", "AutoModel": "modeling_tiny.TinyModel"}
    config = {"model_type": "tiny_internvl", "auto_map": code, "architectures": ["TinyModel"]}
    put_json(folder / "config.json", {**config, "mark": None if mark is None else str(mark)})
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    pictures = {"size": 32, "crop_size": 32, "resample": 3, "image_mean": mean, "image_std": std}
    put_json(folder / "preprocessor_config.json", pictures)
    layers = {"seen": nn.Linear(3 * 32 * 32, 768), "read": nn.Embedding(300, 768)}
    put_network(folder, nn.ModuleDict(layers))


def put_openclip(folder: Path) -> None:
    """A ViT of open_clip in its own format, of 32 px and 24 numbers; texts of 77 tokens."""
    vision = {"image_size": 32, "layers": 2, "width": 48, "head_width": 24, "patch_size": 8}
    text = {"context_length": 77, "vocab_size": 49_408, "width": 32, "heads": 2, "layers": 2}
    model = {"embed_dim": 24, "vision_cfg": vision, "text_cfg": text}
    put_json(folder / "open_clip_config.json", {"model_cfg": model, "preprocess_cfg": {}})
    import open_clip

    network = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    save_file(randomise(network), folder / "open_clip_model.safetensors")


#: How each model is made, by its name; new ones are added here, and their spaces are tested.
TINY: Mapping[str, Callable[[Path], None]] = {
    "clip-vit-b-32": put_clip,
    "siglip2-base": put_siglip,
    # Its package is one that CI cannot install (docs/decisions/0001).
    **({"openclip": put_openclip} if find_spec("open_clip") else {}),
    "clap-630k-fusion": put_clap,
    "clap-music-speech": partial(put_clap, fusion=False),
    "ulip2-pointbert": put_ulip,
    "exmcr-heads": put_exmcr_heads,
    "cmcr-clap-clip": put_cmcr_clap_clip,
    "cmcr-ulip-clip": put_cmcr_ulip_clip,
    "imagebind-huge": put_imagebind,
    "internvl-c": put_internvl,
    "freebind-ib-pp": put_ib_pp,
    "freebind-drvt": partial(put_projectors, model="freebind-drvt", inputs=32, outputs=768),
    "freebind-internvl-ib-pp": partial(
        put_projectors, model="freebind-internvl-ib-pp", inputs=24, outputs=768
    ),
    "freebind-internvl-ib-ft": put_tuned,
    "freebind-internvl-ib-ftpp": partial(
        put_projectors, model="freebind-internvl-ib-ftpp", inputs=24, outputs=768
    ),
    "msclip-s-b32": put_msclip,
    "msclip-s-b16": partial(put_msclip, kernels=(8, 4, 2, 1, 1)),
}


def tiny_models(models: Path, names: Sequence[str]) -> dict[str, Path]:
    """Folders below `models` of those models, made unless they are there, with their manifests."""
    for name in names:
        if not (models / name / MANIFEST).is_file():
            (models / name).mkdir(parents=True, exist_ok=True)
            TINY[name](models / name)
            manifest(models / name)
        verify(models / name)
    return {name: models / name for name in names}


def tiny_space(name: str, models: Path) -> Space:
    """That published space, of tiny models below `models`, with random references."""
    references = models / "references"
    weights, settings = tiny_models(models, models_of(name)), {"remote_code": True}
    space = load_space(name, weights, references=references, settings=settings)
    references.mkdir(exist_ok=True)
    put_references(space, references)
    return space


def put_references(space: Space, folder: Path, count: int = 512) -> None:
    """Random unit rows as the space's background, where it looks for them."""
    rng = np.random.default_rng(0)
    rows = {}
    for modality in sorted({seen_as(one) for one in space.modalities}):
        drawn = rng.standard_normal((count, space.dim)).astype(np.float32)
        rows[modality] = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    save_arrays(rows, folder / space.reference_name)
