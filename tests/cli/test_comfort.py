"""Pictures in the terminal, opening a hit, completion by shells."""

from __future__ import annotations

import base64
import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from indexer import Indexer
from tests.cli.test_show import hit
from tests.indexer.conftest import text
from unisearch.cli import pictures
from unisearch.cli.main import run
from unisearch.cli.opening import open_hit
from unisearch.config import Settings
from unisearch.errors import UnisearchError, UsageError


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM_PROGRAM": "ghostty"}, "kitty"),
        ({"TERM_PROGRAM": "iTerm.app"}, "iterm2"),
        ({"TERM_PROGRAM": "WezTerm"}, "iterm2"),
        ({"LC_TERMINAL": "iTerm2"}, "iterm2"),
        ({"TERM": "xterm-256color"}, None),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/tmux"}, None),
        ({}, None),
    ],
)
def test_the_environment_tells_what_a_terminal_can(
    environment: dict[str, str], expected: str | None
) -> None:
    assert pictures.protocol(environment) == expected


def still() -> bytes:
    """A preview of noise, as it lies in a library."""
    file = io.BytesIO()
    Image.effect_noise((200, 100), 80).convert("RGB").save(file, "WEBP")
    return file.getvalue()


def test_kitty_gets_a_png_in_short_sequences() -> None:
    shown = pictures.kitty(pictures.png(still()))

    sequences = [part.removesuffix("\x1b\\") for part in shown.split("\x1b_G")[1:]]
    keys, pieces = zip(*(part.split(";") for part in sequences), strict=True)
    assert len(pieces) > 1
    assert all(len(piece) <= 4_096 for piece in pieces)
    assert [key.rpartition("m=")[2] for key in keys] == ["1"] * (len(keys) - 1) + ["0"]
    with Image.open(io.BytesIO(base64.b64decode("".join(pieces)))) as image:
        assert (image.format, image.size) == ("PNG", (200, 100))


def test_iterm2_gets_a_png_in_one_sequence() -> None:
    shown = pictures.iterm2(pictures.png(still()))

    assert shown.startswith("\x1b]1337;File=inline=1;")
    assert shown.endswith("\x07")
    content = base64.b64decode(shown[:-1].partition(":")[2])
    assert f"size={len(content)}" in shown
    with Image.open(io.BytesIO(content)) as image:
        assert image.size == (200, 100)


def test_where_pictures_cannot_be_shown_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures.show_pictures(tmp_path, [hit(1, 4.0, weak=False)])

    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "kitty" in err


def test_preview_goes_with_no_other_form(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["search", "a", "--preview", "--json"]) == 2
    assert "--preview goes with" in capsys.readouterr().err


def test_a_hit_is_handed_to_the_systems_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    opener = tmp_path / ("open" if sys.platform == "darwin" else "xdg-open")
    opener.write_text(f'#!/bin/sh\nprintf %s "$1" > {told}.new; mv {told}.new {told}\n')
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    from dataclasses import replace

    name = os.fsencode(tmp_path) + b"/-rf $(x) \xff.png"
    Path(os.fsdecode(name)).write_bytes(b"")

    open_hit([hit(1, 4.0, weak=False), replace(hit(2, 3.0, weak=False), path=name)], 2)

    until = time.monotonic() + 120
    while not told.exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert told.read_bytes() == name


def test_a_hit_that_is_not_there_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    hits = [replace(hit(1, 4.0, weak=False), path=b"/nowhere/a.png")]

    with pytest.raises(UsageError, match="only 1 hits"):
        open_hit(hits, 2)
    with pytest.raises(UnisearchError, match="not there any more"):
        open_hit(hits, 1)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UnisearchError, match="not installed"):
        open_hit([replace(hits[0], path=os.fsencode(__file__))], 1)


def completed(words: str, place: int) -> list[str]:
    """What bash is offered after these words."""
    done = subprocess.run(
        [sys.executable, "-m", "unisearch"],
        env={**os.environ, "_UNISEARCH_COMPLETE": "complete_bash", "COMP_WORDS": words,
             "COMP_CWORD": str(place)},
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    return done.stdout.split()


def test_verbs_and_options_are_completed() -> None:
    assert completed("unisearch se", 1) == ["search", "serve"]
    assert completed("unisearch search --pr", 2) == ["--preview"]


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("search dog --into im", ["image"]),
        ("search dog --into image,au", ["image,audio"]),
        ("search dog --factors at", ["at_expertise"]),
        ("export out.npz --into vi", ["video"]),
        ("models pull clip-vit", ["clip-vit-b-32"]),
        ("models pull ib_", ["ib_pp"]),
        ("models remove imagebind-h", ["imagebind-huge"]),
        ("spaces add sig", ["siglip2"]),
        ("evaluate star", ["starter"]),
        ("spaces drop ", ["clip", "my-own"]),
        ("export out.npz --space cl", ["clip"]),
    ],
)
def test_values_are_completed_and_nothing_heavy_is_imported_for_it(
    typed: str,
    offered: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for space in ("clip-0123456789ab-1", "my-own-0123456789ab-2", "clip-ba9876543210-1", "notes"):
        (tmp_path / "vectors" / space).mkdir(parents=True)
    words = f"unisearch {typed}"
    said = {
        "UNISEARCH_LIBRARY": str(tmp_path), "_UNISEARCH_COMPLETE": "complete_bash",
        "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1),
    }  # fmt: skip
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setitem(sys.modules, "torch", None)  # whoever imports it fails

    with pytest.raises(SystemExit, match=r"^0$"):
        run([])

    assert capfd.readouterr().out.split() == offered


def test_a_library_that_is_indexed_offers_its_space(tmp_path: Path) -> None:
    text(tmp_path / "media" / "note.txt", "A lighthouse")
    settings = Settings(library=tmp_path / "library", space="toy")
    Indexer(settings=settings).run([tmp_path / "media"])

    assert completed(f"unisearch --library {settings.library} spaces drop ", 5) == ["toy"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_no_shell_can_complete_is_not_told_in_the_midst_of_the_line(
    shell: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    said = {
        "_UNISEARCH_COMPLETE": f"complete_{shell}", "COMP_WORDS": "unisearch serch ",
        "COMP_CWORD": "2", "_TYPER_COMPLETE_ARGS": "unisearch serch ",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }  # fmt: skip
    for name, value in said.items():
        monkeypatch.setenv(name, value)

    assert run([]) == 2

    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_the_shell_is_printed(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0

    script = capsys.readouterr().out
    assert f"_UNISEARCH_COMPLETE=complete_{shell}" in script
    assert "unisearch" in script


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", "tcsh"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
