"""Every pair of modalities asked of libraries: here, or in a new process that opens them again.

python -m tests.spaces.asking CASES.json ANSWERS.json
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from unisearch.config import Settings
from unisearch.engine.engine import Engine
from unisearch.errors import UnisearchError
from unisearch.wiring import open_rooms

#: A name, its modality and its similarity.
Hit = tuple[str, str, float]
#: By 'asked -> target', best first.
Answers = dict[str, list[Hit]]


@dataclass(frozen=True)
class Case:
    """A library of one space, and the files that ask in it, by modality."""

    space: str
    library: str
    models: str
    questions: dict[str, str]
    targets: tuple[str, ...]

    @property
    def settings(self) -> Settings:
        return Settings.model_validate(
            {
                "library": self.library,
                "models": self.models,
                "space": self.space,
                "spaces": {"remote_code": True},
                "previews": {"enabled": False},
            }
        )


def answers(engine: Engine, case: Case) -> Answers:
    """What the library answers to each question of each kind; words in names do not count."""
    found: Answers = {}
    for asked, file in case.questions.items():
        for target, hits in _hits(engine, Path(file), case.targets).items():
            found[f"{asked} -> {target}"] = hits
    return found


def _hits(engine: Engine, question: Path, targets: Sequence[str]) -> dict[str, list[Hit]]:
    """The hits of each kind, of one search for all."""
    found: dict[str, list[Hit]] = {target: [] for target in targets}
    for hit in engine.search(question, into=targets, k=100, each=True, names=False):
        found[hit.modality].append((Path(os.fsdecode(hit.path)).name, hit.modality, hit.similarity))
    return found


def refusal(engine: Engine, question: Path, target: str) -> str:
    """What is told of a question that cannot be answered."""
    with pytest.raises(UnisearchError) as caught:
        engine.search(question, into=target)
    return str(caught.value)


def main(plan: str, out: str) -> None:
    cases = [Case(**case) for case in json.loads(Path(plan).read_text("utf-8"))]
    found = {}
    for case in cases:
        with Engine(open_rooms(case.settings)) as engine:
            found[case.space] = answers(engine, case)
    Path(out).write_text(json.dumps(found), "utf-8")


def put_cases(cases: list[Case], file: Path) -> None:
    """The plan for `main`."""
    file.write_text(json.dumps([asdict(case) for case in cases]), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
