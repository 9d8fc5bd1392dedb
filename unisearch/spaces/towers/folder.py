"""The folder of a model: what its manifest and its small JSON files say, or one line why not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unisearch.errors import WeightsError, display


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; raises WeightsError when it is not there or is none."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise WeightsError(f"{display(path)} is not there: pull or import its model") from error
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(f"{display(path)} is no file of settings: {reason}") from error
    if not isinstance(found, dict):
        raise WeightsError(f"{display(path)} is no file of settings: no object")
    return found


def digest_of(folder: Path) -> str:
    """Hexadecimal digest of all files of a model, from those in its verified manifest.

    The vocabulary and the settings move vectors as the weights do, so they count.
    Raises WeightsError when the manifest names no files.
    """
    files = read_json(folder / "manifest.json").get("files")
    if not isinstance(files, dict) or not files:
        raise WeightsError(f"{display(folder / 'manifest.json')} names no files")
    marks = "\n".join(f"{name} {digest}" for name, digest in sorted(files.items()))
    return hashlib.sha256(marks.encode()).hexdigest()


def model_folder(weights: Mapping[str, Path], model: str, space: str) -> Path:
    """The folder of that model; raises WeightsError when the space was not given it."""
    if model not in weights:
        raise WeightsError(f"the space '{space}' needs the folder of the model '{model}'")
    return weights[model]
