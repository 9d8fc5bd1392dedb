"""Benchmarks say what they do when they are asked, and begin nothing."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

BENCHMARKS = ("bench_latency", "bench_scan", "bench_search", "bench_turn", "bench_towers",
              "towers_peers")  # fmt: skip


@pytest.mark.parametrize("name", BENCHMARKS)
def test_help_is_shown_and_nothing_is_made(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [name, "--help"])

    with pytest.raises(SystemExit) as end:
        importlib.import_module(f"tests.bench.{name}").main()

    assert end.value.code == 0
    assert f"python -m tests.bench.{name}" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_is_none_is_told_with_those_that_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench_towers", "imagebind"])

    with pytest.raises(SystemExit):
        importlib.import_module("tests.bench.bench_towers").main()

    assert "'imagebind' is none of clip-vit-b-32, " in capsys.readouterr().err
