"""The server: questions of words by 1, 8 and 64 clients, beside the engine called in process.

    python -m tests.bench.bench_serve [--items 100000] [--seconds 2] [--rounds 6] [--work DIR]

Both are asked in turn, with as many threads as there are connections; figures are those of the
best round. Then the same while `unisearch index` reads sample files into the library, and seconds
of `unisearch search` with and without the server. Prints JSON lines.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path

import unisearch
from tests.bench.clients import Server, Tally, in_process, over_http
from tests.bench.shelf import SEED, make_shelf, sentences
from tests.bench.timing import line, median_s
from unisearch.config import Settings
from unisearch.engine.terms import Term
from unisearch.wiring import Rooms, open_rooms
from unisearch.world.library import make_library

CLIENTS = (1, 8, 64)
QUESTIONS = 1_024
UNISEARCH = [sys.executable, "-m", "unisearch"]


@contextmanager
def serving(library: Path) -> Iterator[Server]:
    """A server in a process of its own."""
    environment = {**os.environ, "UNISEARCH_SERVER__REQUESTS_PER_MINUTE": "0"}
    command = [*UNISEARCH, "serve", "--no-page", "--port", "0", "--library", str(library)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr
        said = process.stderr.readline()
        [port] = re.findall(r":(\d+)/v1", said) or [""]
        if not port:
            raise RuntimeError(f"the server says: {said}")
        yield Server(int(port), process.pid)
        process.terminate()
        process.wait(30)
    finally:
        process.kill()


@contextmanager
def indexing(library: Path, media: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`unisearch index` beside, from its first commit on; killed at the end."""
    command = [*UNISEARCH, "index", str(media), "--library", str(library)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with open_rooms(Settings(library=library)) as rooms:
            while not has_files(rooms, media):
                if process.poll() is not None:
                    raise RuntimeError("the indexer ended before its first commit")
                time.sleep(0.1)
        yield process
    finally:
        process.kill()
        process.wait()


def has_files(rooms: Rooms, media: Path) -> bool:
    """Whether something of that folder was committed."""
    with rooms.catalog.view() as view:
        return bool(view.known_files(os.fsencode(media)))


def best(tallies: Sequence[Tally]) -> dict[str, float]:
    """The round with the most answers, for other work only takes away; errors of all rounds."""
    figures = max((tally.figures() for tally in tallies), key=lambda one: one["qps"])
    return figures | {"errors": sum(tally.errors for tally in tallies)}


def compared(
    library: Path, server: Server, words: Sequence[str], seconds: float, rounds: int
) -> None:
    """Lines for each number of clients."""
    with unisearch.open(library) as engine:
        ways = {
            "in process": partial(in_process, lambda text: engine.ask([Term(text)])),
            "HTTP": partial(over_http, server),
        }
        for clients in CLIENTS:
            tallies: dict[str, list[Tally]] = {name: [] for name in ways}
            for _ in range(rounds):
                for name, ask in ways.items():
                    ask(clients, min(seconds, 0.5), words)  # warm
                    tallies[name].append(ask(clients, seconds, words))
            for name, found in tallies.items():
                line("questions of words", how=name, clients=clients, **best(found))


def beside_indexing(
    library: Path, media: Path, server: Server, words: Sequence[str], seconds: float
) -> None:
    """Lines before, while and after the indexer runs."""
    for clients in CLIENTS[:2]:
        over_http(server, clients, 0.5, words)
        tally = over_http(server, clients, seconds, words)
        line("beside the indexer", indexer="no", clients=clients, **tally.figures())
    with indexing(library, media) as process:
        for clients in CLIENTS[:2]:
            tally = over_http(server, clients, seconds, words)
            runs = "yes" if process.poll() is None else "ended meanwhile"
            line("beside the indexer", indexer=runs, clients=clients, **tally.figures())


def commands(library: Path) -> None:
    """Seconds of whole commands, with and without the server that runs."""
    search = [*UNISEARCH, "search", "a", "dog", "--json", "--library", str(library)]
    ways = {
        "unisearch --help": [*UNISEARCH, "--help"],
        "search, asking the server": search,
        "search --no-server": [*search, "--no-server"],
    }
    for name, command in ways.items():
        took = median_s(partial(subprocess.run, command, capture_output=True, check=True))
        line("command", command=name, seconds=took)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--work", type=Path, default=Path("build/bench"), help="is kept")
    parser.add_argument("--only", choices=("http", "index", "commands"), help="one part alone")
    options = parser.parse_args()
    shelf = make_shelf(options.work.absolute(), options.items)
    media = options.work.absolute() / "media"
    if not media.exists() and options.only in (None, "index"):
        make_library(media, per_concept=2)
    words = list(islice(sentences(SEED + 1), QUESTIONS))
    with tempfile.TemporaryDirectory() as folder:
        library = Path(shutil.copytree(shelf, Path(folder, "library")))
        with serving(library) as server:
            over_http(server, 1, 1.0, words)
            if options.only in (None, "http"):
                compared(library, server, words, options.seconds, options.rounds)
            if options.only in (None, "commands"):
                commands(library)
            if options.only in (None, "index"):
                beside_indexing(library, media, server, words, options.seconds)


if __name__ == "__main__":
    main()
