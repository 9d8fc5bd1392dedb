"""Immutable snapshots of an index beside the rows: LIBRARY/index/SPACE/MODALITY/GEN.faiss + .json.

They can be deleted at any time and are rebuilt from the rows. A main snapshot covers rows
[0, stop); deltas continue it with the same lists and codes. FAISS sees no byte of a file whose
checksum does not fit: a flipped bit would otherwise open silently, or hang.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from unisearch.errors import LibraryDamaged, display
from unisearch.index import durable
from unisearch.index.ivfpq import IvfPq
from unisearch.index.once import Once
from unisearch.index.table import Effort

_READ = 4 * 1024**2  # bytes
#: Two changes so close together may leave a folder the same time.
_COARSE_NS = 2_000_000_000


@dataclass(frozen=True)
class Manifest:
    """What a snapshot is and of which rows.

    base: generation of the main snapshot that a delta continues, None for a main one
    keys: digest of the keys of rows [0, stop); checksum: of the file
    trained: rows that there were when lists and codes were learnt
    efforts: by query modality, as measured; mix: how many stored vectors of other modalities
        there were to measure with
    """

    generation: int
    kind: str
    epoch: int
    start: int
    stop: int
    base: int | None
    keys: str
    trained: int
    size_bytes: int = 0
    checksum: str = ""
    efforts: Mapping[str, Effort] = field(default_factory=dict)
    mix: Mapping[str, int] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The manifest as JSON, with a checksum of its own."""
        body = asdict(self)
        return json.dumps({**body, "digest": _digest(body)}, indent=1).encode()

    def is_of(self, epoch: int, count: int, keys: NDArray[np.int64] | None) -> bool:
        """Whether it is of these rows; keys: int64 (count,), as stored, None to believe it."""
        same = self.epoch == epoch and self.stop <= count
        return same and (keys is None or self.keys == keys_digest(keys, self.stop))

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """The manifest. Raises ValueError for one that is damaged."""
        body = json.loads(data)
        if not isinstance(body, dict) or body.pop("digest", None) != _digest(body):
            raise ValueError("differs from its checksum")
        try:
            body["efforts"] = {name: Effort(**one) for name, one in body["efforts"].items()}
            return cls(**body)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError("is of another version") from error


class SnapshotFolder:
    """The snapshots of one partition."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._verified: set[tuple[str, int, int, int]] = set()  # checksum and stat of sound files
        self._once = Once()

    def signature(self) -> tuple[int, ...]:
        """Changes when snapshots come or go. For each query: a folder at rest is not listed."""
        try:
            changed_ns = os.stat(self.path).st_mtime_ns  # noqa: PTH116 (three times as fast)
        except FileNotFoundError:
            return ()
        if time.time_ns() - changed_ns > _COARSE_NS:
            return (changed_ns,)
        return (changed_ns, *sorted(self._generations()))

    def manifests(self) -> list[Manifest]:
        """Every readable manifest, oldest first. A damaged one is left out with a warning."""
        found = []
        for generation in sorted(self._generations()):
            path = self._manifest(generation)
            try:
                found.append(Manifest.from_bytes(path.read_bytes()))
            except FileNotFoundError:
                continue  # removed meanwhile: a newer one took its place
            except (ValueError, OSError) as error:
                self._once.warn(f"{display(path)}: {error}; answers stay exact")
        return found

    def chain(self, epoch: int, count: int, keys: NDArray[np.int64] | None) -> list[Manifest]:
        """The newest main snapshot of these rows and the deltas that continue it, or nothing.

        keys: int64 (count,), as stored, None to believe their manifests
        """
        near = [one for one in self.manifests() if one.is_of(epoch, count, None)]
        ours = [one for one in near if one.is_of(epoch, count, keys)]
        for one in near:
            if one not in ours:
                where = display(self.file(one.generation))
                self._once.warn(f"{where}: is of other rows; answers stay exact")
        mains = [one for one in ours if one.base is None]
        if not mains:
            return []
        chain = [max(mains, key=lambda one: one.generation)]
        for one in ours:
            if one.base == chain[0].generation and one.start == chain[-1].stop:
                chain.append(one)
        return chain

    def load(self, chain: list[Manifest], vectors: NDArray[np.float16]) -> IvfPq:
        """The index over the first rows, up to the chain's stop, merged in memory.

        vectors: the mapped rows of the epoch
        Raises LibraryDamaged for a file that differs from its manifest.
        """
        main, *deltas = (self._read(one) for one in chain)
        for one, delta in zip(chain[1:], deltas, strict=True):
            main.merge_from(delta, one.start)
        return IvfPq.opened(main, vectors[: chain[-1].stop])

    def write(self, index: IvfPq, manifest: Manifest) -> Manifest:
        """Store the index with its manifest, which is returned complete; durable on return."""
        import faiss

        file = self.file(manifest.generation)
        durable.write_atomically(
            file,
            lambda out: faiss.write_index(index.faiss_index, faiss.PyCallbackIOWriter(out.write)),
        )
        size, checksum = _checksum(file)
        whole = replace(manifest, size_bytes=size, checksum=checksum)
        data = whole.to_bytes()
        durable.write_atomically(self._manifest(manifest.generation), lambda out: out.write(data))
        return whole

    def keep_only(self, chain: list[Manifest]) -> None:
        """Remove every other file of the folder. Readers hold theirs in memory and lose nothing."""
        kept = {
            path
            for one in chain
            for path in (self.file(one.generation), self._manifest(one.generation))
        }
        # Manifests first: a reader that still finds one finds its file too, or looks again.
        gone = set(durable.listed(self.path)) - kept
        durable.unlink(sorted(gone, key=lambda path: path.suffix != ".json"))

    def next_generation(self) -> int:
        """A generation that no file in the folder has."""
        return max(self.generations(), default=0) + 1

    def problems(self) -> dict[int, str]:
        """What is wrong with each generation that is not as it was written; reads everything."""
        found = {}
        for generation in sorted(self.generations()):
            try:
                manifest = Manifest.from_bytes(self._manifest(generation).read_bytes())
                SnapshotFolder(self.path)._verify(manifest)  # reads it, whatever was known
            except FileNotFoundError as error:
                found[generation] = f"{display(error.filename)} is missing"
            except ValueError as error:
                found[generation] = f"{display(self._manifest(generation))} {error}"
            except LibraryDamaged as error:
                found[generation] = str(error)
        return found

    def generations(self) -> set[int]:
        """Those that have a file, of either kind."""
        return self._generations(("json", "faiss"))

    def file(self, generation: int) -> Path:
        return self.path / f"{generation}.faiss"

    def _manifest(self, generation: int) -> Path:
        return self.path / f"{generation}.json"

    def _generations(self, suffixes: tuple[str, ...] = ("json",)) -> set[int]:
        names = (path.name.split(".") for path in durable.listed(self.path))
        return {
            int(parts[0])
            for parts in names
            if len(parts) == 2 and parts[0].isdecimal() and parts[1] in suffixes
        }

    def is_sound(self, manifest: Manifest) -> bool:
        """Whether its file is there and as it was written."""
        try:
            self._verify(manifest)
        except (LibraryDamaged, OSError):
            return False
        return True

    def _verify(self, manifest: Manifest) -> None:
        """Raise LibraryDamaged for a changed file; one that was read before only by its stat."""
        file = self.file(manifest.generation)
        stat = file.stat()
        mark = (manifest.checksum, stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if mark in self._verified:
            return
        if _checksum(file) != (manifest.size_bytes, manifest.checksum):
            raise LibraryDamaged(f"{display(file)} differs from its checksum")
        self._verified.add(mark)

    def _read(self, manifest: Manifest) -> Any:
        import faiss

        self._verify(manifest)
        file = self.file(manifest.generation)
        try:
            return faiss.read_index(str(file))
        except RuntimeError:
            file.stat()  # raises FileNotFoundError for one that is superseded since
            raise


def keys_digest(keys: NDArray[np.int64], stop: int) -> str:
    """Digest of the first keys: tells whether a snapshot is of these rows."""
    return xxhash.xxh3_128_hexdigest(np.ascontiguousarray(keys[:stop]).data)


def _digest(body: Mapping[str, Any]) -> str:
    return xxhash.xxh3_128_hexdigest(json.dumps(body, sort_keys=True).encode())


def _checksum(path: Path) -> tuple[int, str]:
    """(bytes, xxh3 digest) of a file."""
    digest, size = xxhash.xxh3_128(), 0
    with path.open("rb") as file:
        while part := file.read(_READ):
            digest.update(part)
            size += len(part)
    return size, digest.hexdigest()
