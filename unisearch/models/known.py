"""Every published model that unisearch can stand on: what it is, whence, and under which terms.

Sizes are counted from the shapes of the tensors that are kept, so they are about right; what is
not known is None. Addresses and file names are those of the publishers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: A file whose name ends so is not read for tensors but copied.
COMPANIONS = (".json", ".txt", ".model", ".py", ".md")
#: A list of the files that a large model is spread over.
INDEX = ".index.json"


@dataclass(frozen=True)
class Wanted:
    """One file of a source.

    names: its official names; the first that is there counts, and recipes see it by the first.
        A name with '*' stands for all files at the top of the source that fit
    optional: whether the model does without it
    """

    names: tuple[str, ...]
    optional: bool = False

    @property
    def name(self) -> str:
        """What the file is called here."""
        return self.names[0]


@dataclass(frozen=True)
class Source:
    """Where files of a model come from.

    place: a repository of the hub ('openai/...', 'datasets/...'), or an address that ends in '/';
        None: no lasting address is known, the user brings the files
    """

    place: str | None
    files: tuple[Wanted, ...]


@dataclass(frozen=True)
class Licence:
    """Terms of the weights.

    commercial: whether they may be used in business; None when nobody says
    accept: whether the user must say --accept-licence first
    """

    name: str
    commercial: bool | None
    note: str = ""
    accept: bool = False

    @property
    def text(self) -> str:
        """Name and note, as manifests keep them."""
        return f"{self.name}; {self.note}" if self.note else self.name


@dataclass(frozen=True)
class Quality:
    """Published figures and who printed them."""

    source: str
    figures: Mapping[str, float | str]


@dataclass(frozen=True)
class Known:
    """One model.

    values: numbers in the tensors that are kept; stored with `bytes_each` bytes
    dim: of its vectors; None when that is up to the file
    recipe: the file in models/recipes that turns the published tensors into ours
    stored: what the file of our tensors is called
    pickled: classes that the published pickle may hold beside tensors; see convert.ALLOWED
    marks: a tensor of the published file, with its shape, that no other model here has so
    """

    title: str
    modalities: tuple[str, ...]
    dim: int | None
    licence: Licence
    sources: tuple[Source, ...]
    values: int | None = None
    bytes_each: int = 4
    recipe: str = "snapshot"
    stored: str = "model.safetensors"
    pickled: tuple[str, ...] = ()
    marks: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    quality: Quality | None = None
    note: str = ""

    @property
    def size_bytes(self) -> int | None:
        """About what it takes on disk and in memory."""
        return None if self.values is None else self.values * self.bytes_each

    @property
    def files(self) -> tuple[Wanted, ...]:
        """All files, of whatever source."""
        return tuple(wanted for source in self.sources for wanted in source.files)


def _files(*names: str) -> tuple[Wanted, ...]:
    """'a' is wanted, 'a?' when it is there, 'a|b' under one of its names."""
    return tuple(
        Wanted(tuple(name.removesuffix("?").split("|")), name.endswith("?")) for name in names
    )


def _projector_values(size: int, into: int) -> int:
    """Two linear layers over 2,048 values, each with the five tensors of its normalisation."""
    return (size + 5) * 2048 + 1 + (2048 + 5) * into + 1


def _heads(*folders: str) -> tuple[Wanted, ...]:
    """The seven projectors of each folder, in the order of the published code."""
    parts = ("mix", "A", "T", "V", "AT", "AV", "TV")
    return _files(*(f"{folder}/{part}/best.pt" for folder in folders for part in parts))


_CLIP = "openai/clip-vit-base-patch32"
_MERGES = Source(_CLIP, _files("merges.txt"))
_TRANSFORMERS = (
    *("model.safetensors|pytorch_model.bin", "config.json", "preprocessor_config.json"),
    "tokenizer.json",
)
_FREEBIND = "Viglong/FreeBind"
_AUDIO_TOWER_VALUES = (
    86_235_649  # of ImageBind: width 768, 12 blocks, 229 places, 1,024 numbers out
)

_NC = "CC BY-NC-SA 4.0"
_IMAGEBIND_MADE = Licence(_NC, False, "made from ImageBind: research only", accept=True)
_CC_BY = Licence("CC BY 4.0", True, "name the authors")
_CLAP = Licence(
    "CC0 1.0", True, "of the code; no statement of their own for the weights; vocabulary: MIT"
)
_UNLICENSED = Licence(
    "none", False, "no file of code or weights has one: all rights are reserved", accept=True
)

_TABLES = "FreeBind repository, tables 3 and 4 (R@1 in %, zero-shot)"
_NUMPY = ("numpy.scalar", "numpy.dtype")


def _clap(title: str, file: str, values: int, width: int, quality: Quality) -> Known:
    return Known(
        title,
        ("text", "audio"),
        512,
        _CLAP,
        (
            Source("lukewys/laion_clap", _files(file)),
            Source("roberta-base", _files("tokenizer.json")),
        ),
        values,
        recipe="clap",
        pickled=_NUMPY,
        marks={"audio_projection.0.weight": (512, width)},
        quality=quality,
    )


def _projectors(title: str, dim: int, values: int, files: tuple[Wanted, ...]) -> Known:
    return Known(
        title,
        ("text", "image", "audio") if len(files) == 7 else ("text", "audio"),
        dim,
        _IMAGEBIND_MADE,
        (Source(_FREEBIND, files),),
        values,
        recipe="freebind",
    )


def _msclip(kind: str, values: int, tokens: int, figure: float, trained: str) -> Known:
    return Known(
        f"MS-CLIP-S {kind}",
        ("text", "image"),
        512,
        _UNLICENSED,
        (Source(None, _files(f"msclip-s-{kind.lower().replace('/', '')}.pth")), _MERGES),
        values,
        recipe="msclip",
        marks={"visual.positional_embedding": (tokens, 768)},
        quality=Quality("MS-CLIP paper (ECCV 2022)", {f"ImageNet zero-shot, {trained}": figure}),
        note="no lasting address is known; a file of any name will do",
    )


KNOWN: dict[str, Known] = {
    "starter": Known(
        "The small space that ships with unisearch",
        ("text", "image", "audio", "3d"),
        256,
        Licence("Apache-2.0", True),
        (),
        5_513_472,
        bytes_each=2,
        note="is there already",
    ),
    "clip-vit-b-32": Known(
        "OpenAI CLIP ViT-B/32",
        ("text", "image"),
        512,
        Licence("MIT", True, "the model card excludes surveillance and untested deployment"),
        (Source(_CLIP, _files(*_TRANSFORMERS)),),
        151_277_313,
        marks={"visual_projection.weight": (512, 768)},
        quality=Quality(
            _TABLES,
            {"COCO image-text": 40.24, "Flickr30K image-text": 71.89, "ImageNet accuracy": 60.58},
        ),
    ),
    "siglip2-base": Known(
        "SigLIP 2 base, patch 16, 224 px",
        ("text", "image"),
        768,
        Licence("Apache-2.0", True),
        (Source("google/siglip2-base-patch16-224", _files(*_TRANSFORMERS)),),
        380_000_000,
        quality=Quality(
            "immich documentation (mean of R@1/5/10 in %; OpenAI CLIP B/32: 59.4)",
            {"Crossmodal-3600 English": 75.2},
        ),
    ),
    "openclip": Known(
        "Any model of open_clip, in its own format; its choice is yours",
        ("text", "image"),
        None,
        Licence("of that model", None),
        (
            Source(
                None,
                _files(
                    "open_clip_model.safetensors|open_clip_pytorch_model.bin",
                    "open_clip_config.json",
                    "tokenizer.json?",
                    "tokenizer_config.json?",
                    "special_tokens_map.json?",
                ),
            ),
        ),
        stored="open_clip_model.safetensors",
        note="needs the extra 'openclip'; as open_clip publishes its models on the hub",
    ),
    "clap-630k-fusion": _clap(
        "LAION-CLAP, general, with fusion (HTSAT-tiny)",
        "630k-fusion-best.pt|laion_clap_fullset_fusion.pt",
        158_775_406,
        768,
        Quality(
            _TABLES,
            {"AudioCaps audio-text": 40.25, "Clotho audio-text": 18.46, "ESC-50 accuracy": 90.95},
        ),
    ),
    "clap-music-speech": _clap(
        "LAION-CLAP, music and speech (HTSAT-base)",
        "music_speech_audioset_epoch_15_esc_89.98.pt",
        200_064_474,
        1024,
        Quality(
            _TABLES,
            {"AudioCaps audio-text": 39.00, "Clotho audio-text": 17.90, "ESC-50 accuracy": 92.60},
        ),
    ),
    "ulip2-pointbert": Known(
        "ULIP-2 PointBERT, points without colours",
        ("3d",),
        512,
        Licence(
            "unclear",
            None,
            "code: BSD-3-Clause; none seen for the weights, trained on Objaverse (ODC-BY) and"
            " ShapeNet (not for commercial use): accept the terms of the source",
            accept=True,
        ),
        (Source("datasets/SFXX/ulip", _files("pointbert_ULIP-2.pt")),),
        22_253_314,
        recipe="ulip",
        pickled=("argparse.Namespace",),
        marks={"pc_projection": (768, 512)},
    ),
    "exmcr-heads": Known(
        "Ex-MCR: heads for CLAP and ULIP-2 into CLIP's space",
        ("audio", "3d"),
        512,
        _CC_BY,
        (
            Source(
                "https://github.com/MCR-PEFT/Ex-MCR/raw/HEAD/checkpoints/",
                _files("ex_clap.pt", "ex_ulip.pt"),
            ),
        ),
        2 * 2_375_172,
        recipe="exmcr",
        marks={"Head1.weight": (512, 512)},
        quality=Quality(
            _TABLES,
            {
                "AudioCaps audio-text": 19.07,
                "Clotho audio-text": 7.01,
                "VGG-SS audio-image": 2.13,
                "ESC-50 accuracy": 68.35,
            },
        ),
    ),
    "cmcr-clap-clip": Known(
        "C-MCR: heads for CLAP and CLIP into a space of their own",
        ("text", "image", "audio"),
        512,
        _CC_BY,
        (
            Source(
                "https://github.com/MCR-PEFT/C-MCR/raw/HEAD/checkpoints/",
                _files("clap_clip.pt"),
            ),
        ),
        2_112_516,
        recipe="cmcr",
        marks={"Head_A.net1.0.weight": (1024, 512)},
        quality=Quality(
            _TABLES,
            {
                "AudioCaps audio-text": 15.76,
                "Clotho audio-text": 8.37,
                "COCO image-text": 16.67,
                "ESC-50 accuracy": 66.05,
            },
        ),
    ),
    "cmcr-ulip-clip": Known(
        "C-MCR: heads for ULIP-2 and CLIP into a space of their own",
        ("text", "image", "3d"),
        512,
        _CC_BY,
        (
            Source(
                "https://github.com/MCR-PEFT/C-MCR/raw/HEAD/checkpoints/",
                _files("ulip_clip.pt"),
            ),
        ),
        529_410,
        recipe="cmcr",
        marks={"Head_A.net.0.weight": (512, 512)},
    ),
    "imagebind-huge": Known(
        "ImageBind huge: its text, image and audio towers",
        ("text", "image", "audio"),
        1024,
        Licence(_NC, False, "research only, share alike", accept=True),
        (
            Source("https://dl.fbaipublicfiles.com/imagebind/", _files("imagebind_huge.pth")),
            _MERGES,
        ),
        1_070_000_000,
        recipe="imagebind",
        marks={"modality_preprocessors.vision.cls_token": (1, 1, 1280)},
        quality=Quality(
            _TABLES,
            {
                "COCO image-text": 57.28,
                "Flickr30K image-text": 86.04,
                "AudioCaps audio-text": 9.24,
                "VGG-SS audio-image": 14.82,
                "ESC-50 accuracy": 67.25,
                "ImageNet accuracy": 76.31,
            },
        ),
    ),
    "internvl-c": Known(
        "InternVL-14B-224px, used as InternVL-C",
        ("text", "image"),
        768,
        Licence("MIT", None, "the text tower stands on LLaMA, whose terms may hold", accept=True),
        (
            Source(
                "OpenGVLab/InternVL-14B-224px",
                _files(
                    "model.safetensors.index.json|pytorch_model.bin.index.json|model.safetensors",
                    "config.json",
                    "preprocessor_config.json",
                    "tokenizer_config.json",
                    "special_tokens_map.json?",
                    "tokenizer.model|tokenizer.json",
                    "*.py?",
                ),
            ),
        ),
        14_000_000_000,
        bytes_each=2,
        quality=Quality(
            _TABLES,
            {"COCO image-text": 61.05, "Flickr30K image-text": 89.29, "ImageNet accuracy": 81.70},
        ),
        note="runs code of its publisher, which the settings must allow; about 28 GB",
    ),
    "freebind-ib-pp": _projectors(
        "FreeBind IB++: 14 projectors of two CLAPs into ImageBind's space",
        1024,
        14 * _projector_values(512, 1024),
        _heads("IB_PP_G_Proj", "IB_PP_M_Proj"),
    ),
    "freebind-drvt": _projectors(
        "FreeBind: 7 projectors of ImageBind into InternVL's space",
        768,
        7 * _projector_values(1024, 768),
        _heads("InternVL_IB_Proj"),
    ),
    "freebind-internvl-ib-pp": _projectors(
        "FreeBind InternVL_IB++: 14 projectors of two CLAPs",
        768,
        14 * _projector_values(512, 768),
        _heads("InternVL_IB_PP_G_Proj", "InternVL_IB_PP_M_Proj"),
    ),
    "freebind-internvl-ib-ft": Known(
        "FreeBind: ImageBind's audio tower, fine-tuned, with 7 heads",
        ("audio",),
        768,
        _IMAGEBIND_MADE,
        (Source(_FREEBIND, _files("DrvtFT_audio_with_head.pt|InternVL_IB_audio_with_head.pt")),),
        _AUDIO_TOWER_VALUES + 7 * _projector_values(1024, 768),
        recipe="freebind",
        marks={"ib.modality_preprocessors.audio.cls_token": (1, 1, 768)},
    ),
    "freebind-internvl-ib-ftpp": _projectors(
        "FreeBind InternVL_IB†++: 14 projectors of two CLAPs",
        768,
        14 * _projector_values(512, 768),
        _heads("InternVL_IB_FTPP_G_Proj", "InternVL_IB_FTPP_M_Proj"),
    ),
    "msclip-s-b32": _msclip("B/32", 132_408_001, 50, 40.2, "LAION-20M"),
    "msclip-s-b16": _msclip("B/16", 132_503_617, 197, 39.0, "YFCC-22M"),
}


def recognised(shapes: Mapping[str, tuple[int, ...]]) -> list[str]:
    """The models whose marks a published file bears."""
    return [
        name
        for name, model in KNOWN.items()
        if model.marks and all(shapes.get(key) == shape for key, shape in model.marks.items())
    ]
