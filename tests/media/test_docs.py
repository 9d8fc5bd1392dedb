"""docs/formats.md says what the readers do."""

from __future__ import annotations

import re
from pathlib import Path

from unisearch.media.read import READERS
from unisearch.media.scene import MAX_UNZIPPED_BYTES
from unisearch.records import ReadOptions

PAGE = (Path(__file__).parents[2] / "docs/formats.md").read_text(encoding="utf-8")


def test_the_table_of_formats_is_that_of_the_readers() -> None:
    rows = re.findall(r"^\| (\w+) \| (\.[^|]+) \|", PAGE, flags=re.MULTILINE)

    told = {modality: tuple(suffixes.split()) for modality, suffixes in rows}

    assert told == {name: reader.suffixes for name, reader in READERS.items()}


def test_the_limits_are_those_of_the_settings() -> None:
    options = ReadOptions()

    assert f"{options.max_file_bytes // 1024**3} GiB" in PAGE
    assert f"{options.max_pixels // 10**6} million pixels" in PAGE
    assert f"{options.max_text_bytes // 1024**2} MiB" in PAGE
    assert f"{options.max_triangles // 10**6} million triangles" in PAGE
    assert f"{MAX_UNZIPPED_BYTES // 1024**2} MiB" in PAGE
    assert f"`max_audio_hours` ({options.max_audio_hours:.0f})" in PAGE
