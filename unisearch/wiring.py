"""Settings in, opened rooms out: the one place where configuration meets the rooms."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Self

from unisearch.catalog.open import Catalog
from unisearch.catalog.place import refuse_network
from unisearch.catalog.rows import PartitionRow
from unisearch.config import Settings, load_settings
from unisearch.errors import (
    BadSetting,
    LibraryError,
    LibraryMissing,
    UnknownName,
    WeightsError,
    display,
)
from unisearch.factors import NONE, Factors
from unisearch.index.partition import Partition
from unisearch.index.plan import Rules
from unisearch.index.rows import RowFiles
from unisearch.index.snapshot import SnapshotFolder
from unisearch.previews.make import PreviewOptions
from unisearch.records import Modality, ReadOptions
from unisearch.spaces.table import SPACES
from unisearch.threads import rest_idle_threads, use_network_threads

if TYPE_CHECKING:
    from unisearch.spaces.base import Space

CATALOG_FILE = "catalog.db"
VECTORS_FOLDER = "vectors"
INDEX_FOLDER = "index"
PREVIEWS_FOLDER = "previews"
#: Saved searches, each a file of its own.
SAVED_FOLDER = "saved"
#: In the folder of models: backgrounds of spaces that bring none.
REFERENCES_FOLDER = "references"

#: Weights that are replaced while they are loaded are loaded again, so often in all.
_LOADS = 3

#: What stands in a library's folder.
LIBRARY_NAMES = (
    *(CATALOG_FILE + end for end in ("", "-wal", "-shm", "-journal")),
    *(VECTORS_FOLDER, INDEX_FOLDER, PREVIEWS_FOLDER, SAVED_FOLDER),
    *("writer.lock", "writer.sock", "watch.lock", "server.sock"),
)
#: What a folder without a catalogue may hold and still become a library: the rest of an earlier
#: one, and what systems put into every folder.
_NO_OBSTACLE = (*LIBRARY_NAMES, ".DS_Store", "lost+found")


@dataclass
class Rooms:
    """The opened rooms of one library. Use as a context manager, or call close().

    stays: whether this process asks many questions, so that moving vectors to a GPU pays
    told: names and ids of spaces that a line was told about, which once is enough
    """

    settings: Settings
    catalog: Catalog
    stays: bool = False
    told: set[str] = field(default_factory=set)
    _named: dict[str, Space] = field(default_factory=dict)
    _turned: dict[str, Space] = field(default_factory=dict)
    _opening: Lock = field(default_factory=Lock)

    @property
    def library(self) -> Path:
        """The library's folder."""
        return self.settings.library

    @cached_property
    def space(self) -> Space:
        """The configured space, which a new library gets, loaded when it is first needed."""
        with self._opening:
            known = vars(self).get("space")
            return open_space(self.settings, self.settings.space) if known is None else known

    def named(self, name: str, factors: Factors = NONE) -> Space:
        """The space of that name, loaded when it is first needed. Raises as open_space.

        factors: by which its vectors are mixed; else as configured
        """
        if name == self.settings.space:
            space = self.space
        else:
            with self._opening:  # once, for networks are large
                if name not in self._named:
                    self._named[name] = open_space(self.settings, name)
                space = self._named[name]
        if not factors:
            return space
        found = space.turned(factors)
        return self._turned.setdefault(found.id, found)

    @property
    def loaded(self) -> bool:
        """Whether any space was loaded."""
        return "space" in vars(self) or bool(self._named)

    @cached_property
    def read_options(self) -> ReadOptions:
        """What readers should deliver for the configured space, and the limits."""
        return read_options(self.settings, self.space)

    def row_files(self, modality: Modality) -> RowFiles:
        """The vector files of the configured space's partition of that modality."""
        return _row_files(self.library, self.space.id, modality, self.space.dim)

    def partition(self, modality: Modality, space: Space | None = None) -> Partition:
        """The vectors of that modality in the configured or the given space, to search in."""
        space = space or self.space
        return Partition(
            _row_files(self.library, space.id, modality, space.dim),
            snapshots(self.library, space.id, modality),
            modality,
            rules(self.settings),
            gpu_rows=gpu_rows(self.settings, space.dim) if self.stays else 0,
        )

    def parts(self, modality: Modality, space: Space) -> Partition:
        """What the vectors of that modality in a mixed space are mixed of."""
        return Partition(
            _row_files(self.library, space.parts_id, modality, 2 * space.dim),
            snapshots(self.library, space.parts_id, modality),
            modality,
            rules(self.settings),
        )

    def rest(self) -> None:
        """Has no file open until the next question; spaces stay loaded."""
        self.catalog.rest()

    def close(self) -> None:
        """Releases the catalogue."""
        self.catalog.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_rooms(
    settings: Settings | None = None,
    library: Path | str | None = None,
    *,
    write: bool = False,
    stays: bool = False,
) -> Rooms:
    """The rooms of a library; with `write` it is created when there is none.

    library: overrides settings.library; stays: see Rooms
    Raises LibraryMissing, also for a folder of other files, LibraryTooNew or LibraryDamaged.
    """
    settings = settings or load_settings()
    if settings.space not in SPACES:
        raise UnknownName("space", settings.space, SPACES)
    if library is not None:
        settings = settings.model_copy(update={"library": Path(library)})
    file = settings.library / CATALOG_FILE
    if not has_catalog(settings.library) and write:
        check_folder(settings.library)
        settings.library.mkdir(parents=True, exist_ok=True)
        return Rooms(settings, Catalog.create(file), stays)
    return Rooms(settings, Catalog.open(file, write=write), stays)


def has_catalog(library: Path) -> bool:
    """Whether a library is there; raises LibraryError where that cannot be seen."""
    try:
        return (library / CATALOG_FILE).exists()
    except OSError as error:
        raise LibraryError(f"{display(library)}: cannot be opened: {error.strerror}") from error


def check_folder(library: Path) -> None:
    """Raise LibraryError when no library may be made or opened there. Writes nothing.

    It must not lie on a network file system, nor among other files.
    """
    refuse_network(library)
    if has_catalog(library):
        return
    try:
        names = {entry.name for entry in library.iterdir()}
    except FileNotFoundError:
        return
    except NotADirectoryError:
        raise LibraryMissing(f"{display(library)}: is a file; a library is a folder") from None
    except OSError as error:
        raise LibraryError(f"{display(library)}: cannot be listed: {error.strerror}") from error
    if others := sorted(names.difference(_NO_OBSTACLE)):
        raise LibraryMissing(
            f"{display(library)}: holds other files ('{display(others[0])}') and no library;"
            " name an empty or a new folder with --library"
        )


def row_files(library: Path, partition: PartitionRow) -> RowFiles:
    """The vector files of a partition."""
    return _row_files(library, partition.space, partition.modality, partition.dim)


def _row_files(library: Path, space: str, modality: Modality, dim: int) -> RowFiles:
    return RowFiles(library / VECTORS_FOLDER, space, modality, dim)


def snapshots(library: Path, space: str, modality: Modality) -> SnapshotFolder:
    """The index snapshots of a partition."""
    return SnapshotFolder(library / INDEX_FOLDER / space / modality)


def gpu_rows(settings: Settings, dim: int) -> int:
    """How many vectors of that dimension fit into the allowed share of the GPU's free memory."""
    if settings.vectors.gpu == "off":
        return 0
    import torch

    if not torch.cuda.is_available():
        return 0
    free, _ = torch.cuda.mem_get_info()
    return int(free * settings.vectors.gpu_share) // (2 * dim)


def rules(settings: Settings) -> Rules:
    """When and how well partitions are indexed."""
    return Rules(
        exact_rows=settings.vectors.exact_rows,
        tail_rows=settings.vectors.tail_rows,
        recall=settings.vectors.recall,
    )


def open_space(settings: Settings, name: str) -> Space:
    """The space of that name with its weights, on the configured device.

    Raises UnknownName for a name that is not in SPACES, WeightsError without weights and BadSetting
    for a device that is not there.
    """
    rest_idle_threads()
    stay_offline()
    from unisearch.models.find import find_weights, mark, marks
    from unisearch.spaces.table import load_space, models_of

    if settings.threads:
        use_network_threads(settings.threads)
    models, folders = models_of(name), [settings.models]
    for _ in range(_LOADS):
        before = marks(models, folders)
        try:
            weights = {model: find_weights(model, folders) for model in models}
            space = load_space(
                name,
                weights,
                pick_device(settings.device),
                references=settings.models / REFERENCES_FOLDER,
                settings=settings.spaces.model_dump(),
            )
        except WeightsError:
            if marks(models, folders) == before:
                raise
            continue
        # Else its id might be that of the weights before, and the numbers those of the new ones.
        if all(
            model in before and mark(folder) in (None, before[model][1])
            for model, folder in weights.items()
        ):
            return space
    raise WeightsError(f"the weights of '{name}' were replaced while they were loaded; try again")


def stay_offline() -> None:
    """transformers reads what lies here and asks no hub. Call before it is imported.

    Only `models pull` connects, which does not use it. An unreachable hub would block for 23 s.
    """
    os.environ.update({"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"})


def pick_device(wanted: str) -> str:
    """The torch device: 'auto' takes a GPU when there is one.

    Raises BadSetting for a GPU that PyTorch cannot use, before anything is loaded for it.
    """
    import torch

    if wanted == "cpu":
        return wanted
    if torch.cuda.is_available():
        return "cuda"
    if wanted == "auto":
        return "cpu"
    built = torch.version.cuda or torch.version.hip
    why = "finds no GPU that it can use" if built else "is a build without CUDA"
    raise BadSetting(
        f"setting 'device' is '{wanted}', but this PyTorch ({torch.__version__}) {why};"
        " set it to 'auto' or 'cpu', or install a PyTorch that fits the machine"
    )


def preview_options(settings: Settings) -> PreviewOptions | None:
    """How previews are made, None when they are not wanted."""
    chosen = settings.previews
    if not chosen.enabled:
        return None
    return PreviewOptions(chosen.side, chosen.side // 2, renderer=chosen.renderer)


def max_file_bytes(settings: Settings) -> int:
    """The size of the largest file that is read; known without a space."""
    return settings.limits.file_mb * 1024**2


def read_options(settings: Settings, space: Space | None = None) -> ReadOptions:
    """What readers should deliver for that space or for none, and the configured limits."""
    limits, needs = settings.limits, space or ReadOptions
    return ReadOptions(
        image_min_side=needs.image_min_side,
        audio_rate_hz=needs.audio_rate_hz,
        points=needs.points,
        max_file_bytes=max_file_bytes(settings),
        max_pixels=limits.megapixels * 1_000_000,
        max_audio_hours=limits.audio_hours,
        max_triangles=limits.triangles,
        max_text_bytes=limits.text_mb * 1024**2,
    )
