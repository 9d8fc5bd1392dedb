"""Published weights into safetensors, in a process of its own that reads nothing but tensors.

A .pt file is a pickle, which could hold code. It is opened by torch.load(weights_only=True) and by
nothing else: what that refuses is refused, whoever published it.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import re
import signal
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unisearch.errors import WeightsError, display, refused
from unisearch.models.known import KNOWN, recognised

if TYPE_CHECKING:
    from torch import Tensor

    from unisearch.models.recipes.base import Converted, State

#: Counted up when a recipe or this file makes other bytes of the same files.
VERSION = 1

#: What the process may take: this much, and so many times the size of the files.
MEMORY_BYTES, MEMORY_TIMES = 8 << 30, 4
LIMIT_S, LIMIT_S_PER_GB = 300.0, 60.0


def convert(name: str, files: Mapping[str, Path], out: Path) -> None:
    """Writes the tensors as one safetensors file into OUT, and what else the recipe makes.

    files: the weights files, by their official names; out: a folder that is there
    Raises WeightsError in one line, also when the process dies, hangs or takes too much memory.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    size = sum(path.stat().st_size for path in files.values())
    limit_s = LIMIT_S + LIMIT_S_PER_GB * size / 1e9
    memory = MEMORY_BYTES + MEMORY_TIMES * size
    child = context.Process(
        target=_child, args=(theirs, memory, name, dict(files), out), daemon=True
    )
    child.start()
    theirs.close()
    try:
        said = ours.recv() if ours.poll(limit_s) else f"took longer than {limit_s:.0f} s"
    except EOFError:
        child.join()
        said = f"{_shown(files)}: {_death(child.exitcode)}"
    finally:
        child.kill()
        child.join()
    if said:
        raise WeightsError(said if _names_a_file(said, files) else f"{_shown(files)}: {said}")


def _child(
    connection: Connection, memory: int, name: str, files: Mapping[str, Path], out: Path
) -> None:
    """The process: sends an empty line when all went well, else what went wrong."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends it
    _limit(memory)
    try:
        convert_here(name, files, out)
        said = ""
    except WeightsError as error:
        said = str(error)
    except MemoryError:
        said = f"takes more than {memory / 1e9:.0f} GB of memory"
    except OSError as error:
        said = refused(out, error)
    except Exception as error:
        said = f"cannot be converted: {type(error).__name__}: {error}"
    connection.send(" ".join(said.split()))


def convert_here(name: str, files: Mapping[str, Path], out: Path) -> None:
    """The same in this process, without limits. Raises WeightsError."""
    from safetensors.torch import save_file

    known = KNOWN[name]
    states = {official: read_tensors(path, known.pickled) for official, path in files.items()}
    _check_marks(name, states, files)
    recipe = importlib.import_module(f"unisearch.models.recipes.{known.recipe}")
    made = _converted(recipe.convert, states, files)
    # transformers asks for the format before it reads.
    save_file(_unshared(made.state), out / known.stored, metadata={"format": "pt"})
    for extra, content in made.extra_files.items():
        (out / extra).write_bytes(content)


def _converted(
    recipe: Callable[[Mapping[str, State]], Converted],
    states: Mapping[str, State],
    files: Mapping[str, Path],
) -> Converted:
    """What the recipe makes; its errors name the file where it lies, not by its official name."""
    try:
        return recipe(states)
    except WeightsError as error:
        official, _, reason = str(error).partition(": ")
        if official not in files:
            raise
        raise WeightsError(f"{display(files[official])}: {reason}") from error


def read_tensors(path: Path, pickled: tuple[str, ...] = ()) -> dict[str, Tensor]:
    """The tensors of a safetensors file, or of a pickle as torch.save writes it, by their keys.

    Of a training checkpoint those below 'state_dict'. Large files are mapped, not read.
    pickled: see Known
    Raises WeightsError for a damaged file and for a pickle of anything but tensors.
    """
    if _is_safetensors(path):
        return _read_safetensors(path)
    return _state_of(path, _read_pickle(path, pickled))


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, ValueError) as error:
        raise WeightsError(f"{display(path)}: is damaged or cut off: {error}") from error


def _read_pickle(path: Path, pickled: tuple[str, ...]) -> Any:
    import pickle

    import torch

    archive = zipfile.is_zipfile(path)
    if archive and _is_program(path):
        raise WeightsError(f"{display(path)}: is a TorchScript program: take the file of weights")
    if not archive and _starts_like_zip(path):
        raise WeightsError(f"{display(path)}: is cut off: fetch it again")
    try:
        with torch.serialization.safe_globals(_allowed(pickled)):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=archive or None)
    except pickle.UnpicklingError as error:
        raise WeightsError(f"{display(path)}: {_why(str(error))}") from error
    except MemoryError:
        raise
    except Exception as error:  # a damaged pickle can make anything of itself
        name = type(error).__name__
        raise WeightsError(f"{display(path)}: is damaged or no file of weights ({name})") from error


def _why(said: str) -> str:
    """What torch says of a pickle that it does not open, in one line and without its advice."""
    found = re.search(r"GLOBAL ([\w.]+)", said)
    if not found and not re.search("call reduce for|allowlisted|build state", said):
        return "is damaged or no file of weights"
    held = f" ('{found[1]}')" if found else ""
    return (
        f"holds code or objects{held} beside tensors; it was not run and is not read."
        " Take the official file, or one in safetensors"
    )


def _allowed(pickled: tuple[str, ...]) -> list[Any]:
    """The classes of those names, as torch's unpickler wants them."""
    import argparse

    import numpy as np

    scalar = np.float64(0).__reduce__()[0]
    known: dict[str, list[Any]] = {
        "argparse.Namespace": [argparse.Namespace],
        # Figures such as the best accuracy; numpy 1 wrote them under another name.
        "numpy.scalar": [
            (scalar, "numpy.core.multiarray.scalar"),
            (scalar, "numpy._core.multiarray.scalar"),
        ],
        "numpy.dtype": [np.dtype, np.dtypes.Float32DType, np.dtypes.Float64DType,
                        np.dtypes.Int64DType],
    }  # fmt: skip
    return [one for name in pickled for one in known[name]]


def _state_of(path: Path, found: Any) -> dict[str, Tensor]:
    """The state dict in what a file held. Raises WeightsError when it is none."""
    from torch import Tensor

    if isinstance(found, dict) and isinstance(found.get("state_dict"), dict):
        found = found["state_dict"]
    if not isinstance(found, dict) or not found:
        raise WeightsError(f"{display(path)}: holds no tensors by name, but {_kind(found)}")
    for key, value in found.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise WeightsError(f"{display(path)}: '{key}' is no tensor, but {_kind(value)}")
    return {key: value.detach() for key, value in found.items()}


def _check_marks(
    name: str, states: Mapping[str, Mapping[str, Tensor]], files: Mapping[str, Path]
) -> None:
    """Raise WeightsError for a file that is known to be of another model."""
    for official, state in states.items():
        shapes = {key.removeprefix("module."): tuple(one.shape) for key, one in state.items()}
        found = recognised(shapes)
        if found and name not in found:
            raise WeightsError(
                f"{display(files[official])}: is of the model '{found[0]}', not of '{name}'"
            )


def _unshared(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Contiguous tensors, each with memory of its own, as safetensors wants them."""
    seen: set[int] = set()
    made: dict[str, Tensor] = {}
    for key, tensor in state.items():
        one = tensor.contiguous()
        storage = one.untyped_storage()
        if storage.data_ptr() in seen or storage.nbytes() != one.nbytes:
            one = one.clone()
        seen.add(one.untyped_storage().data_ptr())
        made[key] = one
    return made


def shards(index: Path) -> list[str]:
    """The names of the files that an index of a large model lists. Raises WeightsError."""
    try:
        return sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise WeightsError(f"{display(index)}: is no list of weights files: {error}") from error


def _is_safetensors(path: Path) -> bool:
    """By its beginning: the length of a JSON object, and that."""
    with path.open("rb") as file:
        start = file.read(9)
    return len(start) == 9 and start[8:] == b"{" and int.from_bytes(start[:8], "little") < 1 << 32


def _is_program(archive: Path) -> bool:
    """torch.load would hand it on to torch.jit, which builds what it says."""
    try:
        with zipfile.ZipFile(archive) as file:
            return any(name.endswith("constants.pkl") for name in file.namelist())
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise WeightsError(f"{display(archive)}: is damaged: fetch it again") from error


def _starts_like_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _limit(memory: int) -> None:
    """No more address space than that, where the system can say so."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        wanted = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
        resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))


def _death(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        return f"the process that converts it was ended by {name}; is there enough memory?"
    return f"the process that converts it ended with code {code}"


def _kind(value: object) -> str:
    return f"a {type(value).__name__}"


def _shown(files: Mapping[str, Path]) -> str:
    return ", ".join(display(path) for path in files.values())


def _names_a_file(said: str, files: Mapping[str, Path]) -> bool:
    return any(display(path) in said for path in files.values())
