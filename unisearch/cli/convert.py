"""unisearch import-pointcloud: published pickled point clouds, made safe to read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from unisearch.cli.door import door
from unisearch.cli.paths import given_path, refuse_library
from unisearch.errors import UnisearchError, display


def import_pointcloud(
    ctx: typer.Context,
    source: Annotated[Path, typer.Argument(parser=given_path, metavar="FILE.npy")],
    target: Annotated[Path, typer.Argument(parser=given_path, metavar="OUT.ply")],
) -> None:
    """Convert a pickled point cloud to .ply.

    FILE.npy is a published pickle: a dict of xyz and rgb. The pickle is read by an unpickler
    that can build numbers, strings, lists, dicts and numpy arrays, and nothing else: code in it
    never runs.
    """
    from unisearch.media.pointcloud import convert

    if not source.exists():
        raise UnisearchError(f"{display(source)}: no such file")
    if not target.parent.is_dir():
        raise UnisearchError(f"{display(target.parent)}: no such folder")
    refuse_library(target, door(ctx).settings().library)
    points = convert(source, target)
    print(f"{display(target)}: {points:,} points", file=sys.stderr)
