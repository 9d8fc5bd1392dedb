"""The wheel works outside the checkout, in an environment that it alone was installed into."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
TIMEOUT_S = 300


def call(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The finished command, without anything of this environment in its way."""
    left_out = ("UNISEARCH_", "PYTHON", "VIRTUAL_ENV")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(left_out)
    }
    return subprocess.run(
        command, cwd=cwd, env=environment | {"HOME": os.fspath(cwd)},
        capture_output=True, text=True, check=False, timeout=TIMEOUT_S,
    )  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without network."""
    folder = tmp_path_factory.mktemp("wheel")
    built = call(
        sys.executable, "-m", "pip", "wheel", "--no-index", "--no-build-isolation", "--no-deps",
        "--wheel-dir", folder, CHECKOUT, cwd=folder,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    [made] = folder.glob("unisearch-*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a fresh environment with the wheel in it.

    Its dependencies are lent by the running environment, so that this takes seconds and no
    network. Only their folder is put on the path: its .pth files, and with them the editable
    install of the checkout, are not read from there. That unisearch comes from the wheel is tested.
    """
    folder = tmp_path_factory.mktemp("fresh")
    made = call(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    assert made.returncode == 0, made.stderr
    python = folder / "venv" / "bin" / "python"
    put = call(
        sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps",
        wheel, cwd=folder,
    )  # fmt: skip
    assert put.returncode == 0, put.stderr
    [packages] = (folder / "venv" / "lib").glob("python*/site-packages")
    lent = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
    (packages / "lent.pth").write_text("\n".join(lent) + "\n")
    return python.parent


def test_the_wheel_carries_the_model_the_settings_and_the_licence(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    bundled = "unisearch/bundled/"
    assert f"{bundled}config.yaml" in names
    assert f"{bundled}checkpoints/starter/manifest.json" in names
    assert any(name.startswith(f"{bundled}checkpoints/") and name.endswith(".safetensors")
               for name in names)  # fmt: skip
    assert any(name.endswith("ATTRIBUTION.md") for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "indexer/__init__.py" in names
    assert not [name for name in names if name.startswith("tests/")]


def test_what_runs_is_the_wheel_and_not_the_checkout(installed: Path, tmp_path: Path) -> None:
    code = "import unisearch, indexer; print(unisearch.__file__, indexer.__file__)"

    done = call(installed / "python", "-c", code, cwd=tmp_path)

    places = [Path(place) for place in done.stdout.split()]
    assert len(places) == 2, done.stderr
    assert all(place.is_relative_to(installed.parent) for place in places)


def test_the_demo_answers_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    first = call(installed / "unisearch", "demo", cwd=tmp_path)

    assert first.returncode == 0, first.stderr
    assert "Made" in first.stderr
    for number in range(1, 6):
        assert f"\n{number}. " in f"\n{first.stdout}"
    for kind in ("audio", "image", "3d"):
        assert f"  {kind} " in first.stdout
    assert "Now yours:" in first.stdout


def test_the_demo_overwrites_nothing(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep me")

    done = call(installed / "unisearch", "demo", "mine", cwd=tmp_path)

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]
