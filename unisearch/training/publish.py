"""From a trained network to the folder that ships: weights, references, manifest, attribution."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save as pack_arrays
from safetensors.torch import save as pack

from unisearch.records import Modality, Prepared
from unisearch.spaces.starter import prepare
from unisearch.spaces.starter.model import KEYS, Starter
from unisearch.spaces.starter.space import REFERENCE, WEIGHTS, encode_batch
from unisearch.spaces.starter.words import hash_words
from unisearch.training.corpus import Corpus
from unisearch.training.disk import put
from unisearch.training.evaluate import Evaluation
from unisearch.training.exam import on_grey
from unisearch.training.split import Split
from unisearch.training.stock import Stock

REFERENCE_ROWS = 1_024
SOURCES = (
    ("emoji", "Noto Emoji pictures", "Apache-2.0", "https://github.com/googlefonts/noto-emoji"),
    ("emoji", "Unicode CLDR names and keywords", "Unicode-3.0", "https://cldr.unicode.org"),
    ("emoji_flat", "FxEmoji, Mozilla Foundation", "CC BY 4.0", "https://github.com/mozilla/fxemoji"),
    ("models", "Quaternius packs", "CC0", "https://quaternius.com"),
    ("fbx", "Quaternius packs", "CC0", "https://quaternius.com"),
    ("furniture", "Blend Swap authors, see the names below", "CC0", "https://www.blendswap.com"),
    ("sounds", "Sonic Pi samples", "CC0", "https://github.com/sonic-pi-net/sonic-pi"),
    ("recordings", "freesound.org and others, see the files below", "CC0 and CC BY", "https://freesound.org"),
)  # fmt: skip


def publish(
    model: Starter,
    stock: Stock,
    corpus: Corpus,
    split: Split,
    evaluation: Evaluation | None,
    out: Path,
    facts: Mapping[str, Any],
) -> Path:
    """Writes the four files into `out`; the manifest, which makes them valid, comes last.

    Raises UnisearchError when the system refuses.
    """
    state = {name: tensor.half() if tensor.is_floating_point() else tensor
             for name, tensor in model.state_dict().items()}  # fmt: skip
    put(out / WEIGHTS, pack({name: tensor.contiguous().cpu() for name, tensor in state.items()}))
    halved = Starter().to(next(model.parameters()).device)
    halved.load_state_dict({name: t.float() if t.is_floating_point() else t
                            for name, t in state.items()})  # fmt: skip
    references = make_references(halved.eval(), stock)
    halves = {str(key): rows.astype(np.float16) for key, rows in references.items()}
    put(out / REFERENCE, pack_arrays(halves))
    put(out / "ATTRIBUTION.md", attribution(corpus, split).encode())
    manifest = {
        "name": "starter",
        "licence": "Apache-2.0; trained on media under the licences in ATTRIBUTION.md",
        "source": "trained by `unisearch train starter`, see docs/starter.md",
        "files": {name: _sha256(out / name) for name in (WEIGHTS, REFERENCE)},
        "preprocessing": prepare.VERSION,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "training": dict(facts),
        "data": _data(corpus, split, stock),
        "metrics": None if evaluation is None else evaluation.to_json(),
    }
    put(out / "manifest.json", f"{json.dumps(manifest, indent=1)}\n".encode())
    return out


def make_references(model: Starter, stock: Stock) -> dict[Modality, NDArray[np.float32]]:
    """Rows of varied training media per modality: as many different names as there are."""
    rng = np.random.default_rng(0)
    found: dict[Modality, NDArray[np.float32]] = {}
    for modality in KEYS:
        samples = _samples(modality, stock, rng)
        found[modality] = encode_batch(model, samples)
    return found


def _samples(modality: Modality, stock: Stock, rng: np.random.Generator) -> list[Prepared]:
    if modality == "text":
        texts = sorted({text for thing in stock.things for text, _ in thing.texts})
        chosen = rng.permutation(len(texts))[:REFERENCE_ROWS]
        return [Prepared("text", (hash_words(texts[place]),)) for place in chosen]
    slot = {"image": "pictures", "3d": "shapes", "audio": "mels"}[modality]
    return [_prepared(modality, stock, row) for row in _varied(stock, slot, rng)]


def _varied(stock: Stock, slot: str, rng: np.random.Generator) -> list[int]:
    """Rows of as many different names as there are, then second rows of each, and so on."""
    seen: Counter[str] = Counter()
    ranked = []
    for row, name in rng.permutation(
        [
            (row, thing.primary)
            for thing in stock.things
            for row in thing.rows[slot]
            if thing.primary
        ]
    ).tolist():
        seen[name] += 1
        ranked.append((seen[name], int(row)))
    return [row for _, row in sorted(ranked)[:REFERENCE_ROWS]]


def _prepared(modality: Modality, stock: Stock, row: int) -> Prepared:
    if modality == "image":
        return Prepared("image", (prepare.picture(on_grey(stock.arrays["pictures"][row])),))
    if modality == "audio":
        return Prepared("audio", (stock.arrays["mels"][row].astype(np.float32)[None],))
    table = stock.arrays["shapes"][row].astype(np.float32)
    table[:, 3:6] = np.abs(table[:, 3:6])
    return Prepared("3d", (table, stock.arrays["parts"][row]))


def attribution(corpus: Corpus, split: Split) -> str:
    """ATTRIBUTION.md: every source that training used, each CC BY file by name and author."""
    used = split.trained(corpus.items)
    kinds = {item.kind for item in used}
    lines = ["# What the starter weights were trained on", "",
             "The weights are the project's own. They were trained on media made by "
             "`unisearch/world` and on these works:", ""]  # fmt: skip
    lines += [f"* {what}: {licence}, {where}" for kind, what, licence, where in SOURCES
              if kind in kinds]  # fmt: skip
    lines = lines[:4] + list(dict.fromkeys(lines[4:]))  # both kinds of models have one source
    creators = sorted({item.credit[1] for item in used if item.kind == "furniture"})
    if creators:
        lines += ["", "## Authors of the furniture models (CC0)", "", ", ".join(creators)]
    recordings = [item for item in used if item.kind == "recordings"]
    aside = split.kept(corpus.of("recordings"))
    for heading, chosen in (
        ("## Recordings under CC BY", [i for i in recordings if "BY" in i.credit[0]]),
        ("## Recordings under CC0", [i for i in recordings if "BY" not in i.credit[0]]),
        ("## Recordings kept aside: measured with, not trained on", aside),
    ):
        if chosen:
            lines += ["", heading, ""]
            lines += [f"* {item.member.rpartition('/')[2]} — {item.credit[1]}, {item.credit[0]}, "
                      f"{item.credit[2]}" for item in chosen]  # fmt: skip
    changes = "Sounds were cut, mixed and resampled, pictures and models re-rendered for training."
    return "\n".join([*lines, "", changes, ""])


def _data(corpus: Corpus, split: Split, stock: Stock) -> dict[str, Any]:
    return {
        "trained": dict(Counter(item.kind for item in split.trained(corpus.items))),
        "kept_aside": dict(Counter(item.kind for item in split.kept(corpus.items))),
        "kept_aside_with_new_names": len(split.new_names),
        "world": dict(Counter(thing.stream for thing in stock.things
                              if thing.stream in ("world", "junk"))),
        "rows": {name: len(rows) for name, rows in stock.arrays.items()},
    }  # fmt: skip


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
