"""The files that a USD model is composed from: those of its own folder, and nothing else."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pxr import Ar, Sdf

from unisearch.errors import Unreadable


@contextmanager
def plainly_named(path: Path, data: bytes) -> Iterator[Path]:
    """The path, or that of a copy where USD would take the name for something else.

    USD knows names in UTF-8 only, and takes brackets and colons for packages and arguments.
    """
    shown = os.fsencode(path).decode("utf-8", "replace")
    if shown == str(path) and not any(sign in shown for sign in "[]:\n"):
        yield path.absolute()
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "model" + path.suffix.lower())
        copy.write_bytes(data)
        yield copy


def checked_layers(path: Path, place: Path) -> list[Any]:
    """The layers of the model, its own first; hold them until the stage is open.

    path: for the refusals; place: where USD opens it
    Looks at what each layer asks for before it is opened: reading a layer opens no other, and
    what is composed later are the layers held here. Raises Unreadable for a layer outside the
    model's folder, also through a symbolic link, and for one that is missing.
    """
    resolver = Ar.GetResolver()
    with Ar.ResolverContextBinder(resolver.CreateDefaultContextForAsset(str(place))):
        found = {str(place): _opened(path, str(place), place.name)}
        waiting = list(found.values())
        while waiting:
            layer = waiting.pop()
            _refuse_clips(path, layer)
            for name in _asked_for(layer):
                identifier = _inside(path, place, layer, name)
                if identifier not in found:
                    found[identifier] = _opened(path, identifier, name)
                    waiting.append(found[identifier])
    return list(found.values())


def _opened(path: Path, identifier: str, name: str) -> Any:
    layer = Sdf.Layer.FindOrOpen(identifier)
    if layer is None:
        raise Unreadable(path, "corrupt", f"'{name}' holds no USD layer")
    return layer


def _asked_for(layer: Any) -> list[str]:
    """Sublayers, references and payloads of all variants, and what a file format adds."""
    named = [*layer.GetCompositionAssetDependencies(), *layer.GetExternalAssetDependencies()]
    return [str(name) for name in named if name]


def _inside(path: Path, place: Path, layer: Any, name: str) -> str:
    """The identifier under which USD will ask for `name`, after checking where that leads."""
    if "://" in name or name.startswith("`"):  # an address, or a name that is computed later
        raise _outside(path, name)
    identifier = str(Sdf.ComputeAssetPathRelativeToLayer(layer, name))
    resolved = str(Ar.GetResolver().Resolve(identifier))  # looks where it is, opens nothing
    if not resolved:
        raise Unreadable(path, "corrupt", f"'{name}', which the model refers to, is missing")
    if Ar.IsPackageRelativePath(resolved):
        resolved = Ar.SplitPackageRelativePathOuter(resolved)[0]
    if not Path(resolved).resolve().is_relative_to(place.resolve().parent):
        raise _outside(path, name)
    return identifier


def _outside(path: Path, name: str) -> Unreadable:
    reason = f"refers to '{name}' outside its own folder: refused"
    return Unreadable(path, "unsupported", reason)


def _refuse_clips(path: Path, layer: Any) -> None:
    """Value clips name files by patterns, which are opened long after the layers are."""
    clips: list[Any] = []

    def look(place: Any) -> None:
        spec = layer.GetObjectAtPath(place)
        if isinstance(spec, Sdf.PrimSpec) and spec.HasInfo("clips"):
            clips.append(place)

    layer.Traverse(Sdf.Path.absoluteRootPath, look)
    if clips:
        reason = "its shape comes from value clips in other files, which are not read"
        raise Unreadable(path, "unsupported", reason)
