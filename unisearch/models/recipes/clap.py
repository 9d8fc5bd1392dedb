"""LAION-CLAP: the keys of its published checkpoints in the layout of transformers' ClapModel.

Official files, of lukewys/laion_clap on the hub: 630k-fusion-best.pt (HTSAT-tiny with fusion) and
music_speech_audioset_epoch_15_esc_89.98.pt (HTSAT-base without). The official module is
laion_clap/clap_module/model.py (CLAP) over htsat.py (its audio branch) and transformers'
RobertaModel (its text branch).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from unisearch.errors import WeightsError
from unisearch.models.recipes.base import Converted, State, only

#: Official keys that embeddings do not need: fixed STFT and mel matrices, the classification head,
#: the MLPs of another training aim, and buffers that follow from the sizes.
DROPPED = (
    *(r"audio_branch\.(spectrogram_extractor|logmel_extractor)\..+",),
    *(r"audio_branch\.(tscam_conv|head)\..+", r"(text|audio)_transform\..+"),
    r"audio_branch\.layers\.\d+\.blocks\.\d+\.attn_mask",
    r"text_branch\.embeddings\.(position_ids|token_type_ids)",
)

#: Where keys go; three targets take the three equal parts along the first axis.
Plan = dict[str, tuple[str, ...]]

ENCODER = "audio_model.audio_encoder"
WEIGHT_AND_BIAS = ("weight", "bias")
STATISTICS = (*WEIGHT_AND_BIAS, "running_mean", "running_var", "num_batches_tracked")
#: Within a block of the audio branch, official name -> ours.
BLOCK = {
    "norm1": "layernorm_before",
    "norm2": "layernorm_after",
    "attn.proj": "attention.output.dense",
    "mlp.fc1": "intermediate.dense",
    "mlp.fc2": "output.dense",
}
TEXT_LAYER = (
    *(f"attention.self.{part}" for part in ("query", "key", "value")),
    *("attention.output.dense", "attention.output.LayerNorm"),
    *("intermediate.dense", "output.dense", "output.LayerNorm"),
)
#: Of the block that merges the channels of sounds that are longer than a window: convolutions at
#: even places, normalisations behind them; `global_att` begins with its pooling.
FUSION_CONVOLUTIONS = ("local_att.0", "local_att.3", "global_att.1", "global_att.4")
FUSION_NORMS = ("local_att.1", "local_att.4", "global_att.2", "global_att.5")
#: The width of one attention head of RoBERTa, which no tensor tells.
HEAD = 64


def convert(files: Mapping[str, State]) -> Converted:
    """For transformers' ClapModel, with its config.json; errors name the file."""
    file, state = only(files)
    try:
        converted, config = renamed(state)
    except WeightsError as error:
        raise WeightsError(f"{file}: {error}") from error
    return Converted(converted, {"config.json": json.dumps(config, indent=1).encode()})


def renamed(state: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The state dict for transformers' ClapModel, and the config.json that its sizes imply.

    state: tensors or arrays by official key, with or without the prefix 'module.'
    Left to ClapModel: text_model.embeddings.position_ids and token_type_ids, which are constant.
    Raises WeightsError that names a key which is missing or of no use.
    """
    official = {key.removeprefix("module."): value for key, value in state.items()}
    plan = _plan(official)
    _check(official.keys(), plan.keys())
    converted: dict[str, Any] = {}
    for key, targets in plan.items():
        third = len(official[key]) // 3 if len(targets) == 3 else 0
        for place, target in enumerate(targets):
            value = official[key]
            converted[target] = value[place * third : (place + 1) * third] if third else value
    try:
        return converted, _config(official)
    except (ValueError, IndexError, ZeroDivisionError) as error:
        raise WeightsError(
            f"this is no LAION-CLAP checkpoint: its sizes fit none ({error})"
        ) from error


def _check(found: Iterable[str], wanted: Iterable[str]) -> None:
    found, wanted = set(found), set(wanted)
    if missing := sorted(wanted - found):
        raise WeightsError(
            f"this is no whole LAION-CLAP checkpoint: '{missing[0]}' is missing"
            f" ({len(missing)} of {len(wanted)} keys are)"
        )
    dropped = re.compile("|".join(DROPPED))
    if extra := sorted(key for key in found - wanted if not dropped.fullmatch(key)):
        raise WeightsError(
            f"this is no LAION-CLAP checkpoint of a known kind: '{extra[0]}' has no place in it"
            f" ({len(extra)} keys have none)"
        )


def _plan(official: Mapping[str, Any]) -> Plan:
    """Where each key goes.

    How many layers there are is read from the keys; a layer is then wanted whole.
    """
    plan: Plan = {key: (key,) for key in ("logit_scale_a", "logit_scale_t")}
    for side in ("text", "audio"):
        for old, new in (("0", "linear1"), ("2", "linear2")):
            for end in WEIGHT_AND_BIAS:
                plan[f"{side}_projection.{old}.{end}"] = (f"{side}_projection.{new}.{end}",)
    plan |= {f"text_branch.{name}": (f"text_model.{name}",) for name in _text_names(official)}
    plan |= {
        f"audio_branch.{name}": tuple(f"{ENCODER}.{target}" for target in targets)
        for name, targets in _audio_names(official).items()
    }
    return plan


def _text_names(official: Mapping[str, Any]) -> list[str]:
    """Names below text_branch, which are those of RobertaModel on both sides."""
    tables = ("word_embeddings", "token_type_embeddings", "position_embeddings")
    layers = [
        f"encoder.layer.{layer}.{part}"
        for layer in range(_text_layers(official))
        for part in TEXT_LAYER
    ]
    return [
        *(f"embeddings.{table}.weight" for table in tables),
        *_ends("embeddings.LayerNorm", *layers, "pooler.dense"),
    ]


def _audio_names(official: Mapping[str, Any]) -> Plan:
    """Names below audio_branch and their targets below the audio encoder."""
    same = _ends("patch_embed.proj", "patch_embed.norm", "norm")
    if _has_fusion(official):
        inside = [f"patch_embed.fusion_model.{name}" for name in FUSION_CONVOLUTIONS]
        norms = [f"patch_embed.fusion_model.{name}" for name in FUSION_NORMS]
        same += _ends("patch_embed.mel_conv2d", *inside)
        same += [f"{norm}.{end}" for norm in norms for end in STATISTICS]
    depths = _depths(official)
    for layer in range(len(depths) - 1):
        same += [f"layers.{layer}.downsample.reduction.weight"]
        same += _ends(f"layers.{layer}.downsample.norm")
    names: Plan = {name: (name,) for name in same}
    names |= {f"bn0.{end}": (f"batch_norm.{end}",) for end in STATISTICS}
    for layer, depth in enumerate(depths):
        for block in range(depth):
            names |= _block_names(f"layers.{layer}.blocks.{block}")
    return names


def _block_names(block: str) -> Plan:
    names: Plan = {}
    for end in WEIGHT_AND_BIAS:
        names |= {f"{block}.{old}.{end}": (f"{block}.{new}.{end}",) for old, new in BLOCK.items()}
        names[f"{block}.attn.qkv.{end}"] = tuple(
            f"{block}.attention.self.{part}.{end}" for part in ("query", "key", "value")
        )
    for name in ("relative_position_bias_table", "relative_position_index"):
        names[f"{block}.attn.{name}"] = (f"{block}.attention.self.{name}",)
    return names


def _config(official: Mapping[str, Any]) -> dict[str, Any]:
    """What ClapConfig is told; 256 x 256, hop and rate are the same in all published files."""
    shape = {key: tuple(value.shape) for key, value in official.items()}
    width, _, patch, _ = shape["audio_branch.patch_embed.proj.weight"]
    depths, fusion = _depths(official), _has_fusion(official)
    block = "audio_branch.layers.{}.blocks.0.{}"
    tables = [
        shape[block.format(n, "attn.relative_position_bias_table")] for n in range(len(depths))
    ]
    audio = {
        "num_mel_bins": shape["audio_branch.bn0.weight"][0],
        "patch_embeds_hidden_size": width,
        "hidden_size": shape["audio_branch.norm.weight"][0],
        "patch_size": patch,
        "depths": depths,
        "num_attention_heads": [heads for _, heads in tables],
        "window_size": (round(tables[0][0] ** 0.5) + 1) // 2,
        "mlp_ratio": shape[block.format(0, "mlp.fc1.weight")][0] / width,
        "enable_fusion": fusion,
        "fusion_type": "aff_2d" if fusion else None,
    }
    if fusion:
        narrow = shape["audio_branch.patch_embed.fusion_model.local_att.0.weight"][0]
        audio["aff_block_r"] = width // narrow
    vocabulary, text_width = shape["text_branch.embeddings.word_embeddings.weight"]
    text = {
        "vocab_size": vocabulary,
        "hidden_size": text_width,
        "num_hidden_layers": _text_layers(official),
        "num_attention_heads": max(1, text_width // HEAD),
        "intermediate_size": shape["text_branch.encoder.layer.0.intermediate.dense.weight"][0],
        "max_position_embeddings": shape["text_branch.embeddings.position_embeddings.weight"][0],
        "type_vocab_size": shape["text_branch.embeddings.token_type_embeddings.weight"][0],
        "layer_norm_eps": 1e-5,  # of roberta-base; the default of ClapTextConfig is another one
    }
    return {
        "model_type": "clap",
        "architectures": ["ClapModel"],
        "projection_dim": shape["audio_projection.0.weight"][0],
        "audio_config": audio,
        "text_config": text,
    }


def _has_fusion(official: Mapping[str, Any]) -> bool:
    return any(key.startswith("audio_branch.patch_embed.mel_conv2d.") for key in official)


def _depths(official: Mapping[str, Any]) -> list[int]:
    """Blocks in each layer of the audio branch, at least one layer of one."""
    block = re.compile(r"audio_branch\.layers\.(\d+)\.blocks\.(\d+)\.")
    found = [(int(m[1]), int(m[2])) for m in map(block.match, official) if m] or [(0, 0)]
    layers = 1 + max(layer for layer, _ in found)
    last: Counter[int] = Counter()
    for layer, place in found:
        last[layer] = max(last[layer], place)
    return [1 + last[layer] for layer in range(layers)]


def _text_layers(official: Mapping[str, Any]) -> int:
    layer = re.compile(r"text_branch\.encoder\.layer\.(\d+)\.")
    return 1 + max((int(m[1]) for m in map(layer.match, official) if m), default=0)


def _ends(*names: str) -> list[str]:
    return [f"{name}.{end}" for name in names for end in WEIGHT_AND_BIAS]
