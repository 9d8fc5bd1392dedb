"""The clients of the benchmark of the server."""

from __future__ import annotations

import os
from pathlib import Path

from indexer import Indexer
from tests.api.live import serving
from tests.bench.clients import Server, in_process, over_http
from tests.indexer.conftest import text
from unisearch.config import Settings
from unisearch.engine.terms import Term


def test_clients_count_answers_and_errors(tmp_path: Path) -> None:
    text(tmp_path / "media" / "note.txt", "The lighthouse stands on a rock")
    settings = Settings(library=tmp_path / "library", space="toy")
    Indexer(settings=settings).run([tmp_path / "media"])

    with serving(settings) as (service, port):
        server = Server(port, os.getpid())
        good = over_http(server, 2, 0.2, ["lighthouse", "rock"])
        bad = over_http(server, 1, 0.1, ["x" * 5_000])  # too long a text
        here = in_process(lambda words: service.engine.ask([Term(words)]), 2, 0.1, ["rock"])

    assert good.figures()["qps"] > 0
    assert (good.errors, here.errors, bad.took_s) == (0, 0, [])
    assert bad.errors >= 1
    assert here.took_s
