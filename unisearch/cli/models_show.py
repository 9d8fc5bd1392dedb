"""What `unisearch models list` says of models and spaces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from unisearch.cli.show import console, table
from unisearch.cli.transfer import size_text
from unisearch.errors import display
from unisearch.models.find import find_folder
from unisearch.models.known import KNOWN
from unisearch.models.memory import free_ram_bytes, free_vram_bytes, needed_bytes
from unisearch.spaces.table import SPACES

if TYPE_CHECKING:
    from unisearch.config import Settings

COMMERCIAL = {True: "yes", False: "no", None: "unclear"}


@dataclass(frozen=True)
class Free:
    """Memory that is free, in bytes; None where the system does not tell or there is no GPU."""

    ram_bytes: int | None
    vram_bytes: int | None

    @classmethod
    def now(cls) -> Self:
        """Of this machine."""
        return cls(free_ram_bytes(), free_vram_bytes())

    def fits(self, weights_bytes: int | None) -> dict[str, bool | None]:
        """Whether weights of that size, with what runs them, fit there; None: not known."""
        places = {"ram": self.ram_bytes, "vram": self.vram_bytes}
        if weights_bytes is None:
            return dict.fromkeys(places)
        need = needed_bytes(weights_bytes)
        return {place: None if free is None else need <= free for place, free in places.items()}


def spaces_of(models: Sequence[str]) -> list[str]:
    """The spaces that stand on one of the models; all that need any, when none is named."""
    wanted = set(models or KNOWN)
    return [name for name, entry in SPACES.items() if wanted & set(entry.models)]


def model_row(settings: Settings, name: str, free: Free) -> dict[str, Any]:
    """All that is known of a model, as it goes into JSON."""
    known = KNOWN[name]
    place = find_folder(name, [settings.models])
    return {
        "name": name,
        "title": known.title,
        "modalities": list(known.modalities),
        "dim": known.dim,
        "size_bytes": known.size_bytes,
        "licence": known.licence.text,
        "commercial": known.licence.commercial,
        "accept_licence": known.licence.accept,
        "quality": known.quality and {
            "source": known.quality.source, "figures": dict(known.quality.figures),
        },
        "sources": [
            {"place": source.place, "files": [list(file.names) for file in source.files]}
            for source in known.sources
        ],
        "note": known.note or None,
        "spaces": [space for space, entry in SPACES.items() if name in entry.models],
        "installed": display(place) if place else None,
        "fits": free.fits(known.size_bytes),
    }  # fmt: skip


def space_row(settings: Settings, name: str, free: Free) -> dict[str, Any]:
    """Which models a space needs, and which of them are not here."""
    models = SPACES[name].models
    sizes = [KNOWN[model].size_bytes if model in KNOWN else None for model in models]
    size = sum(one or 0 for one in sizes) if None not in sizes else None
    missing = [model for model in models if find_folder(model, [settings.models]) is None]
    terms = [KNOWN[model].licence.commercial for model in models if model in KNOWN]
    return {
        "name": name,
        "models": list(models),
        "missing": missing,
        "complete": not missing,
        "size_bytes": size,
        "commercial": False if False in terms else None if None in terms else True,
        "fits": free.fits(size),
    }


def print_lists(
    rows: Iterable[dict[str, Any]], spaces: Iterable[dict[str, Any]], free: Free
) -> None:
    """Two tables, and the memory that is free."""
    out = console()
    made = table("model", "here", "what", "dim", "size", "commercial use", "licence", "fits",
                 right=("dim", "size"))  # fmt: skip
    for row in rows:
        made.add_row(
            row["name"], "yes" if row["installed"] else "", " ".join(row["modalities"]),
            str(row["dim"] or "?"), size_text(row["size_bytes"]), COMMERCIAL[row["commercial"]],
            KNOWN[row["name"]].licence.name, fits_text(row["fits"]),
        )  # fmt: skip
    out.print(made)
    made = table("space", "complete", "size", "commercial use", "fits", "models", right=("size",))
    for row in spaces:
        names = [f"{one} (not here)" if one in row["missing"] else one for one in row["models"]]
        made.add_row(
            row["name"], "yes" if row["complete"] else "no", size_text(row["size_bytes"]),
            COMMERCIAL[row["commercial"]], fits_text(row["fits"]), ", ".join(names),
        )  # fmt: skip
    out.print(made)
    gpu = "" if free.vram_bytes is None else f", {size_text(free.vram_bytes)} on the GPU"
    out.print(
        f"free memory: {size_text(free.ram_bytes)}{gpu}; sizes are about right, '?' is your file's"
    )
    out.print("more of one: unisearch models list NAME; get it: unisearch models pull NAME")


def print_details(rows: Iterable[dict[str, Any]]) -> None:
    """Everything of each model, one fact a line."""
    out = console()
    for row in rows:
        out.print(f"{row['name']}  {row['title']}", soft_wrap=True)
        for name, value in details(row):
            out.print(f"  {name:<10}  {value}", soft_wrap=True)


def details(row: dict[str, Any]) -> Iterable[tuple[str, str]]:
    """Name and text of each fact."""
    yield "what", f"{', '.join(row['modalities'])}; vectors of {row['dim'] or '?'} numbers"
    size = f"about {size_text(row['size_bytes'])}; fits: {fits_text(row['fits'])}"
    yield "size", size if row["size_bytes"] else "that of the file that you bring"
    asked = "; pull and import ask for --accept-licence" if row["accept_licence"] else ""
    yield "licence", row["licence"]
    yield "commercial", COMMERCIAL[row["commercial"]] + asked
    for source in row["sources"]:
        names = ", ".join(" or ".join(names) for names in source["files"])
        yield "files", f"{names}  ({source['place'] or 'no lasting address'})"
    if row["quality"]:
        for what, figure in row["quality"]["figures"].items():
            yield "quality", f"{what}: {figure}"
        yield "", f"from: {row['quality']['source']}"
    if row["note"]:
        yield "note", row["note"]
    yield "spaces", ", ".join(row["spaces"]) or "none yet"
    yield "here", row["installed"] or "no"


def fits_text(fits: dict[str, bool | None]) -> str:
    """'yes', 'no', 'GPU too', 'GPU only'; '?' for what is not known."""
    if fits["ram"] is None:
        return "?"
    if fits["vram"]:
        return "GPU too" if fits["ram"] else "GPU only"
    return "yes" if fits["ram"] else "no"
