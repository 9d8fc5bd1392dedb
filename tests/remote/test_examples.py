"""The examples of the documentation run as they stand there."""

from __future__ import annotations

import ast
import importlib.util
import socket
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"


def example(name: str) -> ModuleType:
    """The example as a module."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_example_is_told_of_and_is_python() -> None:
    told = (EXAMPLES / "README.md").read_text("utf-8")

    files = sorted(EXAMPLES.glob("*.py"))
    assert files
    for file in files:
        assert f"]({file.name})" in told
        compile(file.read_text("utf-8"), file, "exec")


def test_the_asset_manager_finds_words_and_uploads(address: str, media: Path) -> None:
    manager = example("asset_manager")

    [note, *_] = manager.find(address, "lighthouse", kinds="text")
    [beach, *_] = manager.find(address, like=(media / "photos" / "beach.png").read_bytes())

    assert {Path(note["path"]).parent, Path(beach["path"]).parent} == {media, media / "photos"}
    assert beach["thumbnail"][8:12] == b"WEBP"
    assert manager.is_current(address) in (True, False)


def test_the_asset_manager_is_a_command_of_twenty_lines(address: str) -> None:
    file = EXAMPLES / "asset_manager.py"
    tree = ast.parse(file.read_text("utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]

    done = subprocess.run(
        [sys.executable, file, address, "lighthouse"],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip

    assert "note.txt" in done.stdout
    assert sum((node.end_lineno or 0) - node.lineno + 1 for node in functions) <= 20


def test_the_asset_manager_says_in_one_line_what_is_wrong() -> None:
    file = EXAMPLES / "asset_manager.py"

    for arguments, said in (([], "usage: "), (["http://127.0.0.1:1", "dog"], "unisearch serve")):
        done = subprocess.run(
            [sys.executable, file, *arguments],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
        assert said in done.stderr


def test_blender_finds_sounds_for_points_and_a_name(address: str, media: Path) -> None:
    addon = example("blender_sounds")
    points = [(x / 7, x % 5, -x / 3) for x in range(200)]

    found = addon.sounds_for(points, "Rock.001", url=address)

    assert [path for _, path, _ in found] == [str(media / "sounds" / "waves.wav")]
    assert "waves.wav" in addon.sounds_for(points, url=address)[0][1]


def test_blender_is_told_in_one_line_what_is_wrong(address: str) -> None:
    addon = example("blender_sounds")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(addon.NotFound, match="unisearch serve"):
            addon.sounds_for([(0, 0, 0)], url=nobody)

    with pytest.raises(addon.NotFound, match="upload"):
        addon.sounds_for([], url=address)
