"""How often 'nothing fits' and 'fits' are wrong: python -m tests.bench.chance [CORPUS]

Real encodings of the held-out world, and of a corpus when its folder is given (docs/starter.md
says what that holds), in the starter space. Libraries grow by a smoothed bootstrap: a row is a
real one, moved by 0.6 times the difference of two things of one name. Nothing of the asked name
is among the distractors; 'fits' counts a best one that is not weak, 'nothing' three right
answers that are all weak. One JSON line per (query, target).
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.bench.timing import options
from unisearch.config import load_settings
from unisearch.engine.background import QUERIES, evenly
from unisearch.engine.chance import Floats, Pair, bend, chance_of, measure_pair
from unisearch.records import MODALITIES, Modality, TextSample
from unisearch.spaces.base import Space
from unisearch.training.corpus import read_corpus
from unisearch.training.exam import make_exam
from unisearch.training.meaning import Meanings
from unisearch.training.split import split_corpus
from unisearch.wiring import open_space
from unisearch.world.concepts import CONCEPTS

SIZES = (1_000, 100_000, 1_000_000)
WEAK_ABOVE = 0.05
SPREAD = 0.6
#: A label of this weight makes a right answer, and of that one no wrong answer.
RIGHT, NOT_WRONG = 0.5, 0.25
KEPT = 50  # of the best distractors, more than chance.py looks at
NONSENSE = re.split(
    r"\s+",
    """zzyzx qwertyuiop blorf flumph grobnik snarfle wibble vrrpt mxyzptlk plugh xyzzy
    glorpington quuxly zibzab hjkl qqqq fnord kwyjibo yttrx oovlag nimzo zxcvbnm thrax
    ulmok wexbin yolpe drintho kesfuld lompit marvok nebtra ostrig prellik parliament
    mortgage GDP democracy algebra recursion theology adverb lawsuit photosynthesis""",
)
PILES: dict[Modality, tuple[str, ...]] = {
    "text": ("world text", "names"),
    "image": ("world image", "emoji", "models view", "furniture icon"),
    "audio": ("world audio", "recordings"),
    "3d": ("world 3d", "models 3d", "furniture 3d"),
}

Rows = tuple[Floats, list[str]]


def main(corpus: Path | None) -> None:
    """Prints the lines."""
    space = open_space(load_settings(), "starter")
    piles = encoded(space, corpus)
    meanings = Meanings([name for _, names in piles.values() for name in names])
    asked = queries(space, piles)
    for target in PILES:
        rows = [piles[name] for name in PILES[target] if name in piles]
        gallery = np.concatenate([vectors for vectors, _ in rows])
        names = [name for _, found in rows for name in found]
        for kind, question in asked.items():
            found = measure(space, meanings, kind, question, target, (gallery, names))
            line = {"what": "chance", "query": kind, "target": target, "rows": SIZES, **found}
            print(json.dumps(line), flush=True)


def encoded(space: Space, corpus: Path | None) -> dict[str, Rows]:
    """Vectors and names of every pile of the exam, and all names as texts."""
    media = read_corpus(corpus) if corpus else None
    split = split_corpus(media, 0) if media else None
    with tempfile.TemporaryDirectory() as scratch:
        exam = make_exam(media, split, Path(scratch), space.prepare, lambda _: None)
    found = {
        name: (space.encode_prepared(pile.samples), list(pile.names))
        for name, pile in exam.piles.items()
    }
    every = sorted({name for _, names in found.values() for name in names})
    return {**found, "names": (space.encode([TextSample(name) for name in every]), every)}


def queries(space: Space, piles: dict[str, Rows]) -> dict[str, Rows]:
    """One instance of each thing by modality, its name as text, and words without meaning."""
    found = {
        modality: (piles[f"world {modality}"][0][::8], piles[f"world {modality}"][1][::8])
        for modality in ("image", "audio", "3d")
    }
    words = list(CONCEPTS)
    found["text"] = space.encode([TextSample(word) for word in words]), words
    nothing = space.encode([TextSample(word) for word in NONSENSE])
    return {**found, "nonsense": (nothing, [""] * len(NONSENSE))}


def measure(
    space: Space,
    meanings: Meanings,
    kind: str,
    asked: Rows,
    target: Modality,
    gallery: Rows,
) -> dict[str, list[float]]:
    """Shares of wrong judgements in percent, by library size."""
    vectors, wanted = asked
    rows, names = gallery
    labels = [meanings.of(name) for name in names]
    related = np.array([[label.get(word, 0.0) for label in labels] for word in wanted])
    background = evenly(rows, 1024)
    query: Modality = "text" if kind == "nonsense" else next(m for m in MODALITIES if m == kind)
    pair = measure_pair(evenly(space.reference(query), QUERIES), background)
    middles = np.median(vectors @ background.T, axis=1)
    three = [
        right_answers(vector @ rows[mask].T)
        for vector, mask in zip(vectors, related >= RIGHT, strict=True)
    ]
    wrong: dict[str, list[float]] = {"fits": [], "nothing": []}
    for size, best in grown(vectors, rows, names, related >= NOT_WRONG):
        judged = [
            (strong(pair, middle, few, size), strong(pair, middle, np.append(some, few), size))
            for middle, some, few in zip(middles, three, best, strict=True)
        ]
        fits = [without for without, _ in judged]
        missed = [not found for (_, found), some in zip(judged, three, strict=True) if len(some)]
        wrong["fits"].append(round(100 * float(np.mean(fits)), 1))
        if missed:
            wrong["nothing"].append(round(100 * float(np.mean(missed)), 1))
    return wrong


def right_answers(cosines: Floats) -> Floats:
    """Three of them, best first, without the query itself."""
    others = np.random.default_rng(0).permutation(cosines[cosines < 0.9999])[:3]
    return np.sort(others)[::-1]


def strong(pair: Pair, middle: float, cosines: Floats, live: int) -> bool:
    """Whether the first of these cosines, which come with the best of all, is not weak."""
    bent = bend(np.asarray((cosines - middle) / (1 - middle), np.float32))
    return chance_of(pair.tail, bent, live).expected(float(bent[0])) < WEAK_ABOVE


def grown(
    vectors: Floats, rows: Floats, names: list[str], left_out: NDArray[np.bool_]
) -> Iterator[tuple[int, Floats]]:
    """(size, cosines of the best rows (queries, KEPT), best first) of libraries of SIZES.

    left_out: (queries, rows) what is no wrong answer to a query
    """
    numbers = np.random.default_rng(1)
    moves = differences(rows, names)
    best = np.full((len(vectors), KEPT), -1.0, np.float32)
    count = 0
    for size in SIZES:
        while count < size:
            chunk = min(size - count, 20_000)
            base = numbers.integers(len(rows), size=chunk)
            signs = numbers.choice([-SPREAD, SPREAD], (chunk, 1))
            made = rows[base] + signs * moves[numbers.integers(len(moves), size=chunk)]
            made = (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)
            cosines = np.where(left_out[:, base], -1.0, vectors @ made.T)
            top = np.partition(cosines, chunk - KEPT, axis=1)[:, -KEPT:]
            best = np.sort(np.concatenate([best, top], axis=1), axis=1)[:, ::-1][:, :KEPT]
            count += chunk
        yield size, best.astype(np.float32)


def differences(rows: Floats, names: list[str]) -> Floats:
    """How two things of one name differ, over the square root of two: (n, dim)."""
    order = np.argsort(np.array(names), kind="stable")
    same = np.array(names)[order][1:] == np.array(names)[order][:-1]
    found: Floats = (rows[order][1:][same] - rows[order][:-1][same]) / np.float32(np.sqrt(2))
    return found


if __name__ == "__main__":
    main(options(__doc__, corpus={"nargs": "?", "type": Path}).corpus)
