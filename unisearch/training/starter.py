"""Trains the starter space: one call from a corpus folder to a folder of weights."""

from __future__ import annotations

import io
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from unisearch.errors import display
from unisearch.spaces.starter.model import Starter
from unisearch.spaces.starter.samples import prepare_sample
from unisearch.spaces.starter.space import stack
from unisearch.spaces.starter.words import hash_words
from unisearch.training import augment, losses
from unisearch.training.average import Average
from unisearch.training.corpus import read_corpus
from unisearch.training.disk import amount, check_room, clear_unfinished, free_bytes, put
from unisearch.training.draw import Batch, Drawer
from unisearch.training.evaluate import grade
from unisearch.training.exam import Exam, make_exam
from unisearch.training.pool import Sizes, build_pool, plan_pool
from unisearch.training.publish import publish
from unisearch.training.split import split_corpus
from unisearch.training.stock import Stock, load_stock, table_digest
from unisearch.wiring import pick_device

logger = logging.getLogger(__name__)

RATE, WARM_UP, CLIP = 1.5e-3, 80, 2.0
DECAY, WEIGHT_DECAY = 0.996, 0.05
SCALE_START, SCALE_MAX = 16.0, 40.0
PAIRS = (
    ("text", "image", 1.0), ("text", "3d", 0.7), ("text", "audio", 0.8),
    ("image", "3d", 1.5), ("image", "audio", 0.5), ("3d", "audio", 0.4),
)  # fmt: skip
PROTOTYPES = {"text": 0.4, "image": 1.0, "audio": 0.6, "3d": 0.6}
#: Smaller pictures first: share of the budget until which a side is used.
SIDES = ((0.68, 64), (1.01, 80))
SAVE_EVERY_S, SHOW_EVERY_S, EXAMINE_EVERY_S = 120.0, 10.0, 600.0
#: Of the checkpoint, while a new one is written beside the old; of the weights and their papers.
CHECKPOINT_BYTES, WEIGHTS_BYTES = 300_000_000, 30_000_000


@dataclass(frozen=True)
class Plan:
    """How long and how big; tests make it tiny."""

    minutes: float
    seed: int = 0
    device: str = "auto"
    steps: int | None = None  # ends training earlier
    batch_scale: float = 1.0
    sizes: Sizes = field(default_factory=Sizes)
    examine: bool = True


def train_starter(
    corpus: Path,
    out: Path,
    *,
    minutes: float,
    seed: int = 0,
    device: str = "auto",
    cache: Path | None = None,
    resume: bool = True,
    progress: Callable[[str], None],
) -> Path:
    """The folder `out` with weights, reference vectors, manifest and attribution.

    corpus: the folder that docs/starter.md describes; minutes: of training proper, making the
    pool comes before; cache: where the pool and checkpoints lie, so that a stopped run goes on
    Raises UsageError when there is no corpus, and BadSetting for a device that is not there.
    """
    plan = Plan(minutes, seed, pick_device(device))
    place = cache or out.parent / f".{out.name}-training"
    return train(corpus, out, place, plan, resume=resume, progress=progress)


def train(
    corpus: Path,
    out: Path,
    cache: Path,
    plan: Plan,
    *,
    resume: bool,
    progress: Callable[[str], None],
) -> Path:
    """As train_starter, to a plan."""
    media = read_corpus(corpus)
    split = split_corpus(media)
    pool = plan_pool(media, split, cache, plan.sizes)
    check_room(out, WEIGHTS_BYTES)
    make_room(cache, pool.missing_bytes() + CHECKPOINT_BYTES, progress)
    paths = build_pool(pool, progress)
    progress("pool: loading it")
    stock = load_stock(media, split, paths)
    exam = None
    if plan.examine:
        exam = make_exam(media, split, cache, prepare_sample, progress, plan.sizes.concepts)
    run = Run(stock, plan, cache / "run.pt")
    if resume:
        run.resume(progress)
    run.go(exam, progress)
    evaluation = None if exam is None else grade(run.average.encoder(), exam)
    return publish(run.average.model, stock, media, split, evaluation, out, run.facts())


def make_room(cache: Path, needed_bytes: int, progress: Callable[[str], None]) -> None:
    """Says what the cache will take, and drops what a killed run has left unfinished in it.

    Raises UnisearchError when the disk has less room.
    """
    clear_unfinished(cache)
    progress(
        f"cache: {display(cache.absolute())}, {amount(needed_bytes)} to be written at most, "
        f"{amount(free_bytes(cache))} free there; a run that is stopped goes on from it"
    )
    check_room(cache, needed_bytes)


class Run:
    """A training run that can be stopped and taken up again."""

    def __init__(self, stock: Stock, plan: Plan, checkpoint: Path) -> None:
        torch.manual_seed(plan.seed)
        self.stock, self.plan, self.checkpoint = stock, plan, checkpoint
        self.device = torch.device(pick_device(plan.device))
        self.model = Starter().to(self.device)
        self.prototypes = nn.Parameter(torch.randn(len(stock.ids), 256, device=self.device) * 0.06)
        self.log_scale = nn.Parameter(torch.tensor(np.log(SCALE_START), device=self.device).float())
        self.average = Average(self.model, DECAY)
        self.optimizer = _optimizer(self.model, self.prototypes, self.log_scale)
        self.step, self.spent_s = 0, 0.0
        self.drawer = Drawer(stock, np.random.default_rng(plan.seed), plan.batch_scale)

    @property
    def share(self) -> float:
        """How much of the budget is used, in [0, 1]."""
        by_time = self.spent_s / max(60 * self.plan.minutes, 1e-6)
        by_steps = self.step / self.plan.steps if self.plan.steps else 0.0
        return min(max(by_time, by_steps), 1.0)

    def go(self, exam: Exam | None, progress: Callable[[str], None]) -> None:
        """Steps until the budget is used; saves, shows and examines on the way."""
        self.model.train()
        began, before = time.monotonic(), self.spent_s
        saved = shown = examined = began
        aside_s = 0.0  # examining is not training
        recent: list[float] = []
        while self.share < 1.0:
            recent.append(self.advance())
            now = time.monotonic()
            self.spent_s = before + now - began - aside_s
            if now - shown > SHOW_EVERY_S:
                progress(self._line(recent, now - shown))
                recent, shown = [], now
            if now - saved > SAVE_EVERY_S:
                self.save()
                saved = now
            if exam is not None and now - examined > EXAMINE_EVERY_S:
                progress(grade(self.average.encoder(), exam).line())
                examined = shown = time.monotonic()
                aside_s += examined - now
        self.save()

    def advance(self) -> float:
        """One step; returns its loss."""
        self.step += 1
        for group in self.optimizer.param_groups:
            warm = min(self.step / WARM_UP, 1.0)
            group["lr"] = group["base"] * warm * (0.5 + 0.5 * math.cos(math.pi * self.share))
        loss = self._loss(self.drawer.draw())
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
        self.optimizer.step()
        with torch.no_grad():
            self.log_scale.clamp_(max=float(np.log(SCALE_MAX)))
        self.average.update(self.model, self.step)
        return float(loss.detach())

    def _loss(self, batch: Batch) -> Tensor:
        rows, labels, things, own = self._encode(batch)
        total = torch.zeros((), device=self.device)
        for modality, weight in PROTOTYPES.items():
            if modality in rows:
                loss = losses.prototype_loss(rows[modality], self.prototypes, labels[modality])
                total = total + weight * loss
        scale = self.log_scale.exp()
        for first, second, weight in PAIRS:
            if first not in rows or second not in rows:
                continue
            same = things[first][:, None] == things[second][None]
            instance = same & own[first][:, None] & own[second][None]
            targets = losses.pair_targets(
                losses.overlap(labels[first], labels[second]), same, instance,
                (first, second) == ("image", "3d"),
            )  # fmt: skip
            total = total + weight * losses.contrast(scale * rows[first] @ rows[second].T, targets)
        return total

    def _encode(self, batch: Batch) -> tuple[dict[str, Tensor], ...]:
        """Rows, label weights, things and whether the row is the thing's own, by modality."""
        inputs, labels, things, own = {}, {}, {}, {}
        arrays = self.stock.arrays
        for modality, slot in (("image", "pictures"), ("3d", "shapes"), ("audio", "mels")):
            drawn = batch.slots[slot]
            if len(drawn.rows) > 1:  # batch norm needs two
                inputs[modality] = self._views(modality, drawn.rows, arrays)
                labels[modality] = losses.label_rows(drawn.labels, self.stock.ids).to(self.device)
                things[modality] = torch.from_numpy(drawn.thing).to(self.device)
                own[modality] = torch.from_numpy(drawn.own).to(self.device)
        if batch.texts:
            inputs["text"] = [self._words(batch.texts)]
            labels["text"] = losses.label_rows(batch.text_labels, self.stock.ids).to(self.device)
            things["text"] = torch.from_numpy(batch.text_thing).to(self.device)
            own["text"] = torch.ones(len(batch.texts), dtype=torch.bool, device=self.device)
        with torch.autocast(self.device.type, torch.bfloat16):
            rows = {key: self.model(key, arrays) for key, arrays in inputs.items()}
        return rows, labels, things, own

    def _views(
        self, modality: str, rows: NDArray[np.int64], arrays: dict[str, NDArray[Any]]
    ) -> list[Tensor]:
        def taken(name: str) -> Tensor:
            return torch.from_numpy(arrays[name][rows]).to(self.device)

        if modality == "image":
            side = next(side for until, side in SIDES if self.share < until)
            return [augment.pictures(taken("pictures"), side)]
        if modality == "3d":
            return [augment.shapes(taken("shapes")), taken("parts")]
        return [augment.mels(taken("mels"))]

    def _words(self, texts: list[str]) -> Tensor:
        [pieces] = stack("text", [(hash_words(text),) for text in texts])
        share = 0.15 if self.step % 2 else 0.0
        return augment.words(pieces.to(self.device), share)

    def _line(self, recent: list[float], seconds: float) -> str:
        return (
            f"{100 * self.share:5.1f} %  step {self.step}  {self.spent_s / 60:.1f} min  "
            f"loss {np.mean(recent):.3f}  scale {float(self.log_scale.detach().exp()):.1f}  "
            f"{seconds / len(recent):.2f} s/step"
        )

    def facts(self) -> dict[str, object]:
        """Provenance for the manifest."""
        return {
            "seed": self.plan.seed, "steps": self.step, "minutes": round(self.spent_s / 60, 1),
            "device": self.device.type, "labels": len(self.stock.ids),
        }  # fmt: skip

    def save(self) -> None:
        """Everything that a resumed run needs, put into place in one step."""
        state = {
            "labels": table_digest(self.stock.ids), "seed": self.plan.seed,
            "step": self.step, "spent_s": self.spent_s,
            "model": self.model.state_dict(), "average": self.average.model.state_dict(),
            "prototypes": self.prototypes.detach(), "log_scale": self.log_scale.detach(),
            "optimizer": self.optimizer.state_dict(), "random": torch.get_rng_state(),
        }  # fmt: skip
        content = io.BytesIO()
        torch.save(state, content)
        put(self.checkpoint, content.getbuffer())

    def resume(self, progress: Callable[[str], None]) -> None:
        """Takes up the run of the checkpoint; one of other labels or another seed is left alone."""
        if not self.checkpoint.exists():
            return
        state = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
        if (state["labels"], state.get("seed")) != (table_digest(self.stock.ids), self.plan.seed):
            progress(f"{self.checkpoint} is of another corpus or seed: starting anew")
            return
        self.model.load_state_dict(state["model"])
        self.average.model.load_state_dict(state["average"])
        with torch.no_grad():
            self.prototypes.copy_(state["prototypes"])
            self.log_scale.copy_(state["log_scale"])
        self.optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"].cpu())
        self.step, self.spent_s = state["step"], state["spent_s"]
        self.drawer = Drawer(
            self.stock, np.random.default_rng([self.plan.seed, self.step]), self.plan.batch_scale
        )
        progress(f"resumed at step {self.step}")


def _optimizer(model: nn.Module, prototypes: Tensor, log_scale: Tensor) -> torch.optim.AdamW:
    """No decay on embeddings, norms, biases and prototypes."""
    decayed = [p for n, p in model.named_parameters() if p.ndim >= 2 and "pieces" not in n]
    plain = [p for n, p in model.named_parameters() if p.ndim < 2 or "pieces" in n]
    groups = [
        {"params": decayed, "weight_decay": WEIGHT_DECAY, "base": RATE},
        {"params": plain, "weight_decay": 0.0, "base": RATE},
        {"params": [prototypes], "weight_decay": 0.0, "base": 2 * RATE},
        {"params": [log_scale], "weight_decay": 0.0, "base": RATE},
    ]
    return torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.98))
