"""unisearch demo: a sample library, indexed and asked, to see the product at once."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unisearch.cli.change import writer
from unisearch.cli.door import door
from unisearch.cli.index import finish
from unisearch.cli.paths import given_path
from unisearch.cli.show import console, print_answer, short
from unisearch.errors import UnisearchError, display, refused

if TYPE_CHECKING:
    from unisearch.config import Settings
    from unisearch.engine.engine import Engine

MEDIA, LIBRARY, UNFINISHED = "media", "library", ".media-unfinished"
SHOWN = 4


@dataclass(frozen=True)
class Question:
    """One thing that the demo asks, as it would be typed."""

    headline: str
    terms: Sequence[str]
    into: str
    minus: Sequence[str] = ()

    def arguments(self) -> list[str]:
        """The command behind `unisearch`, without the library."""
        unwanted = [part for term in self.minus for part in ("--not", term)]
        # Names of the sample files would give the answer away.
        return [
            "search", *self.terms, *unwanted, "--into", self.into, "-k", str(SHOWN), "--no-names"
        ]  # fmt: skip


def demo(
    ctx: typer.Context,
    folder: Annotated[
        Path,
        typer.Argument(
            parser=given_path,
            metavar="DIR",
            help="Made for the samples; an earlier demo is used again.",
        ),
    ] = Path("unisearch-demo"),
) -> None:
    """Show the product on sample files.

    Makes a small library of everyday things, indexes it and asks it a few questions across
    kinds of files.
    """
    library = folder / LIBRARY
    settings = replace(door(ctx), library=str(library)).settings()
    prepare(folder, settings)

    from unisearch.engine.engine import Engine
    from unisearch.wiring import open_rooms

    with Engine(open_rooms(settings)) as engine:
        for number, question in enumerate(questions(folder / MEDIA), start=1):
            show(engine, number, question, library)
    finish(settings)
    print_farewell(library)


def prepare(folder: Path, settings: Settings) -> None:
    """Makes the sample files where there are none yet, and indexes them."""
    from unisearch.cli.progress import Watcher

    if not (folder / MEDIA).is_dir():
        make_media(folder)
    with writer(settings) as indexer, Watcher(settings.device) as watcher:
        report = indexer.run([folder / MEDIA], progress=watcher)
    say(f"Indexed in {report.seconds:.0f} s: {report.added} new files, "
        f"{report.unchanged} already there.")  # fmt: skip


def make_media(folder: Path) -> None:
    """Puts the sample files into folder/media, whole or not at all.

    Raises UnisearchError when the folder holds something else: nothing is ever overwritten.
    """
    from unisearch.world.library import KINDS, make_library

    unfinished = folder / UNFINISHED
    if folder.exists() and not folder.is_dir():
        raise UnisearchError(f"{display(folder)}: is a file; name a folder for the demo")
    strangers = [path for path in folder.iterdir() if path != unfinished] if folder.exists() else []
    if strangers:
        raise UnisearchError(f"{display(folder)}: is not empty and no demo; name another folder")
    shutil.rmtree(unfinished, ignore_errors=True)
    say("Making samples: 3D models, pictures, sounds, videos and captions of everyday things ...")
    start = time.monotonic()
    try:
        made = make_library(unfinished, kinds=KINDS)
        unfinished.rename(folder / MEDIA)
    except OSError as error:
        raise UnisearchError(refused(folder, error)) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    say(f"Made {len(made)} files in {time.monotonic() - start:.0f} s: {display(folder / MEDIA)}")


def questions(media: Path) -> Iterator[Question]:
    """What the demo asks, with files of the sample library."""
    model = find(media, "3d", "helicopter", "cow", "duck")
    sound = find(media, "audio", "dog", "owl", "car")
    picture = find(media, "image", "church", "chapel")
    yield Question("A 3D model: which sounds fit it?", [model], "audio")
    yield Question("A sound: which pictures and videos fit it?", [sound], "image,video")
    yield Question("A sentence: which 3D models fit it?", ["a steam locomotive"], "3d")
    yield Question("A picture and words in one question", [picture, "a bell"], "audio,3d")
    yield Question("Words, but not those", ["a flying vehicle"], "3d", ["a rocket"])


def find(media: Path, modality: str, *concepts: str) -> str:
    """A sample file of that modality named after one of the concepts, as typed from here.

    Raises UnisearchError when there is none: the folder then is of another version.
    """
    from unisearch.media.read import modality_of

    files = sorted(path for path in media.rglob("*") if modality_of(path) == modality)
    for concept in concepts:
        for path in files:
            if concept in re.split(r"[\W_]+", path.stem):
                return short(path.absolute())
    raise UnisearchError(f"{display(media)}: has no {modality} file to ask with; name another DIR")


def show(engine: Engine, number: int, question: Question, library: Path) -> None:
    """Asks one question and prints it, the command to copy, and the answer."""
    from unisearch.engine.terms import parse_terms

    answer = engine.ask(
        parse_terms(question.terms),
        minus=[term for text in question.minus for term in parse_terms([text])],
        into=question.into.split(","),
        k=SHOWN,
        names=False,
    )
    command = shlex.join(
        ["unisearch", *question.arguments(), "--library", short(library.absolute())]
    )
    out = console()
    out.print(f"\n{number}. {question.headline}", style="bold")
    out.print(f"   {command}", style="cyan", soft_wrap=True)
    print_answer(answer)


def print_farewell(library: Path) -> None:
    """What to try next."""
    where = shlex.quote(short(library.absolute()))
    out = console()
    out.print("Now yours:", style="bold")
    out.print("   unisearch index ~/Pictures ~/Music", style="cyan")
    out.print("   unisearch search a dog barking", style="cyan")
    out.print("   unisearch search photo.jpg --into audio", style="cyan")
    out.print(f"More: unisearch --help; unisearch status --library {where}", soft_wrap=True)


def say(line: str) -> None:
    """One line on stderr, where everything goes that is no result."""
    print(line, file=sys.stderr, flush=True)
