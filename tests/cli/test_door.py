"""What verbs say on stderr beside their results looks the same, whoever says it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from unisearch.cli.door import Door, configure_logs
from unisearch.errors import BadSetting


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """Logging is set up for the whole process: put it back."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    logging.captureWarnings(False)


def test_a_warning_looks_like_everything_else_on_stderr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs("warning")

    logging.getLogger("unisearch.catalog.open").warning("%s: read-only\nmedia", "library")
    logging.getLogger("unisearch.catalog.open").info("of no interest")
    logging.getLogger("sqlalchemy").warning("not ours")

    assert capsys.readouterr().err == "unisearch: warning: library: read-only media\n"


def test_debugging_shows_levels_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("debug")

    logging.getLogger("unisearch.engine").debug("a detail")
    logging.getLogger("sqlalchemy").warning("not ours")

    told = capsys.readouterr().err
    assert "debug" in told
    assert "a detail" in told
    assert "not ours" in told


def test_settings_read_again_without_their_file_leave_the_logs_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "config.yaml"
    file.write_text("log_level: info\n", "utf-8")
    before = Door().settings()
    file.unlink()

    with pytest.raises(BadSetting, match="no such configuration file"):
        Door().settings(before=before)

    assert logging.getLogger().level == logging.INFO
