"""Under `make test` no test hides behind a package that is not installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

SKIPS = """
import pytest

def test_by_import():
    pytest.importorskip("no_such_package")

def test_by_hand():
    pytest.skip("pip install 'unisearch[usd]'")

def test_for_another_reason():
    pytest.skip("not run: set UNISEARCH_PARITY")
"""


def outcome(folder: Path, no_skip: str) -> str:
    """The last line of pytest over those tests."""
    shutil.copy(Path(__file__).parent / "conftest.py", folder)
    (folder / "test_skips.py").write_text(SKIPS)
    (folder / "test_whole_file.py").write_text("import pytest; pytest.importorskip('no_such_one')")
    environment = {**os.environ, "UNISEARCH_NO_SKIP": no_skip}
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-p", "no:cacheprovider",
            "--continue-on-collection-errors", "--rootdir", folder, folder,
        ],
        env=environment, cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.splitlines()[-1]


def test_a_skip_for_a_missing_package_is_a_skip_by_default(tmp_path: Path) -> None:
    line = outcome(tmp_path, no_skip="")

    assert "= 4 skipped in" in line


def test_a_skip_for_a_missing_package_is_a_failure_when_none_may_miss(tmp_path: Path) -> None:
    line = outcome(tmp_path, no_skip="1")

    assert "2 failed, 1 skipped, 1 error" in line
