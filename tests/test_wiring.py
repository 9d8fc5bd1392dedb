"""What holds before the heavy packages are loaded, by whichever door one comes in."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from unisearch.config import load_settings
from unisearch.errors import BadSetting, WeightsError
from unisearch.spaces import table
from unisearch.wiring import gpu_rows, open_space, pick_device

#: Runs the code, and says on stderr how threads wait at the moment when torch is looked for.
WATCHED = """
import os, sys

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            print("waiting:", os.environ.get("OMP_WAIT_POLICY"), file=sys.stderr)

sys.meta_path.insert(0, Watch())
code, sys.argv[1:] = sys.argv[1], sys.argv[2:]
exec(code)
"""
COMMAND = "from unisearch.__main__ import main; main()"
PYTHON = (
    "import unisearch; from indexer import Indexer; Indexer('lib').run(['a.txt'])\n"
    "with unisearch.open('lib') as engine: engine.search('fox')"
)


def waiting(code: str, *arguments: str, cwd: Path, **environment: str) -> list[str]:
    """How threads of OpenMP will wait, as torch finds it when it is imported."""
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, code, *arguments],
        cwd=cwd, env={**os.environ, "UNISEARCH_SPACE": "toy", **environment},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    return [line for line in done.stderr.splitlines() if line.startswith("waiting:")]


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (COMMAND, ["index", "a.txt", "--library", "lib"]),
        (COMMAND, ["embed", "a.txt", "--out", "a.npy"]),
        (COMMAND, ["train", "starter", "--corpus", "."]),
        (COMMAND, ["evaluate", "--corpus", "."]),
        (PYTHON, []),
    ],
)
def test_idle_threads_sleep_by_every_door(code: str, arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a red fox")

    assert waiting(code, *arguments, cwd=tmp_path) == ["waiting: PASSIVE"]


def test_the_users_own_setting_of_threads_holds(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a red fox")

    told = waiting(COMMAND, "index", "a.txt", "--library", "lib", cwd=tmp_path,
                   OMP_WAIT_POLICY="ACTIVE")  # fmt: skip

    assert told == ["waiting: ACTIVE"]


def test_vectors_take_a_share_of_the_gpu_unless_it_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (8 * 1024**3, 80 * 1024**3))

    assert gpu_rows(load_settings(vectors={"gpu_share": 0.25}), dim=512) == 2 * 1024**2
    assert gpu_rows(load_settings(vectors={"gpu": "off"}), dim=512) == 0


def test_a_gpu_that_is_not_there_is_told_with_the_name_of_the_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    settings = load_settings(space="toy", device="cuda")

    for build, why in ((None, "is a build without CUDA"), ("12.8", "finds no GPU")):
        monkeypatch.setattr("torch.version.cuda", build)
        monkeypatch.setattr("torch.version.hip", None, raising=False)
        with pytest.raises(BadSetting, match=f"setting 'device' is 'cuda', but .* {why}.*'auto'"):
            open_space(settings, "toy")

    assert (pick_device("auto"), pick_device("cpu")) == ("cpu", "cpu")


@pytest.mark.parametrize("device", ["cuda:7", "gpu"])
def test_a_device_that_is_none_is_told_with_those_that_are(device: str) -> None:
    with pytest.raises(BadSetting, match=f"'device'.*'auto', 'cpu' or 'cuda', not '{device}'"):
        load_settings(device=device)


@pytest.mark.parametrize("fails", [False, True], ids=["that loads", "that fails to load"])
def test_weights_that_are_replaced_while_they_are_loaded_are_loaded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    def bring(version: bytes) -> None:
        folder = tmp_path / "clip-vit-b-32"
        if folder.exists():
            folder.rename(tmp_path / "old")
        folder.mkdir()
        (folder / "weights").write_bytes(version)
        files = {"weights": hashlib.sha256(version).hexdigest()}
        (folder / "manifest.json").write_text(json.dumps({"files": files}))

    read = []

    def load(_: str, weights: Mapping[str, Path], *__: object, **___: object) -> bytes:
        [folder] = weights.values()
        read.append((folder / "weights").read_bytes())
        if len(read) == 1:
            bring(b"new")
            if fails:
                raise WeightsError("a file is not there")
        return read[-1]

    bring(b"old")
    monkeypatch.setattr(table, "load_space", load)
    settings = load_settings(models=tmp_path, device="cpu")

    assert open_space(settings, "clip") == b"new"  # type: ignore[comparison-overlap]
    assert read == [b"old", b"new"]


def test_weights_that_fail_by_themselves_are_loaded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []

    def load(name: str, *_: object, **__: object) -> None:
        read.append(name)
        raise WeightsError("damaged")

    monkeypatch.setattr(table, "load_space", load)

    with pytest.raises(WeightsError, match="damaged"):
        open_space(load_settings(models=tmp_path, device="cpu"), "starter")
    assert read == ["starter"]
