"""Every pair of modalities asked of libraries: here, or in a new process that opens them again.

python -m tests.spaces.asking CASES.json ANSWERS.json
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from unisearch.config import Settings
from unisearch.engine.engine import Engine
from unisearch.wiring import open_rooms

#: By 'asked -> target': name, modality and similarity of each hit, best first.
Answers = dict[str, list[tuple[str, str, float]]]


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


def answers(case: Case) -> Answers:
    """What the library answers to each question of each kind; words in names do not count."""
    found: Answers = {}
    with Engine(open_rooms(case.settings)) as engine:
        for asked, file in case.questions.items():
            for target in case.targets:
                hits = engine.search(Path(file), into=target, k=100, names=False)
                found[f"{asked} -> {target}"] = [
                    (Path(os.fsdecode(hit.path)).name, hit.modality, hit.similarity) for hit in hits
                ]
    return found


def main(plan: str, out: str) -> None:
    cases = [Case(**case) for case in json.loads(Path(plan).read_text("utf-8"))]
    found = {case.space: answers(case) for case in cases}
    Path(out).write_text(json.dumps(found), "utf-8")


def put_cases(cases: list[Case], file: Path) -> None:
    """The plan for `main`."""
    file.write_text(json.dumps([asdict(case) for case in cases]), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
