"""The spaces whose vectors a library holds, as far as this installation has them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

from unisearch.catalog.rows import SpaceRow
from unisearch.errors import (
    ForeignSpace,
    MissingExtra,
    UnisearchError,
    UsageError,
    WeightsError,
    display,
)
from unisearch.factors import Factors, factors_of, told
from unisearch.records import MODALITIES, Modality, ReadOptions, seen_as
from unisearch.spaces.base import Space
from unisearch.spaces.table import SPACES
from unisearch.wiring import Rooms, read_options

logger = logging.getLogger(__name__)


def at_hand(rooms: Rooms, row: SpaceRow) -> Space | None:
    """The space, opened; None when it is not here in the same version, which is told once."""
    try:
        return opened(rooms, row)
    except (ForeignSpace, MissingExtra, WeightsError) as error:
        if row.id not in rooms.told:
            rooms.told.add(row.id)
            logger.warning("%s; its vectors are neither searched nor added to", error)
        return None


def opened(rooms: Rooms, row: SpaceRow) -> Space:
    """The space, opened.

    Raises ForeignSpace for one that this installation does not know, or has in another version,
    WeightsError without its weights and MissingExtra without its packages.
    """
    if row.name not in SPACES:
        raise ForeignSpace(f"{_whose(rooms, row)}, which this unisearch does not know")
    space = rooms.named(row.name, row.factors)
    if space.id != row.id:
        raise ForeignSpace(f"{_whose(rooms, row)}; the weights that are here are of '{space.id}'")
    return space


def active_spaces(rooms: Rooms, rows: Iterable[SpaceRow]) -> list[Space]:
    """The active spaces that are at hand, oldest first; of no spaces at all, the configured one.

    Of those that are not at hand one line is told.
    Raises ForeignSpace, WeightsError or MissingExtra when there are some and none is at hand.
    """
    wanted = [row for row in rows if row.state == "active"]
    if not wanted:
        return [rooms.space]
    _tell_factors(rooms, wanted)
    if len(wanted) == 1:
        try:
            return [opened(rooms, wanted[0])]
        except ForeignSpace as error:
            raise _foreign(rooms, str(error)) from None
    found = [space for row in wanted if (space := at_hand(rooms, row)) is not None]
    if not found:
        listed = "', '".join(row.id for row in wanted)
        where = display(rooms.library)
        raise _foreign(rooms, f"{where}: of its spaces '{listed}' none is here")
    return found


def wanted_space(rooms: Rooms, rows: Iterable[SpaceRow], name: str) -> Space:
    """The space of that name: with the factors that the library has it by, else as configured.

    Raises as Rooms.named.
    """
    factors = [row.factors for row in rows if row.name == name and row.factors]
    return rooms.named(name, *factors[:1])


def spaces_to_write(rooms: Rooms, rows: Sequence[SpaceRow]) -> list[Space]:
    """What new contents are embedded into: the active spaces; none while a space that is here is
    being built in the place of one that is not, as it will come to them.

    Raises as active_spaces.
    """
    try:
        return active_spaces(rooms, rows)
    except (ForeignSpace, MissingExtra, WeightsError) as error:
        building = [row for row in rows if row.state == "building" and at_hand(rooms, row)]
        if not building:
            raise
        if building[0].id not in rooms.told:
            rooms.told.add(building[0].id)
            logger.warning("%s; new files are found when '%s' is built", error, building[0].id)
        return []


def check_spaces(rooms: Rooms) -> None:
    """Raise ForeignSpace when no vector of the library can be of a space that is known here.

    Loads nothing. One line is told where the configured space is another one than the library's:
    that setting is for new libraries.
    """
    with rooms.catalog.view() as view:
        rows = view.spaces()
    wanted = rooms.settings.space
    held = [row for row in rows if row.state == "active"]
    if not any(row.name in SPACES for row in held) and held:
        error = f"{_whose(rooms, held[0])}, which this unisearch does not know"
        raise _foreign(rooms, error)
    known = {row.name for row in rows if row.state != "left"}
    if held and wanted not in known and wanted not in rooms.told:
        rooms.told.add(wanted)
        names = "', '".join(dict.fromkeys(row.name for row in held))
        logger.warning(
            "%s: is of the space '%s', not of '%s' as configured: 'unisearch spaces switch %s'"
            " embeds it again, 'spaces add %s' keeps both",
            *(display(rooms.library), names, wanted, wanted, wanted),
        )


def covered(space: Space) -> tuple[Modality, ...]:
    """The modalities of what gets vectors in that space."""
    return tuple(one for one in MODALITIES if seen_as(one) in space.modalities)


def with_factors(rows: Iterable[SpaceRow], name: str = "") -> list[SpaceRow]:
    """The spaces of that name or id, of any by default, whose vectors can be mixed anew.

    Raises UnisearchError when there is none.
    """
    rows = list(rows)
    held = {row.id for row in rows}
    able = [row for row in rows if row.parts_id and name in ("", row.name, row.id)]
    if found := [row for row in able if row.parts_id in held]:
        return found
    if able:
        raise UnisearchError(
            f"the library has no parts of the vectors of '{able[0].id}': it was made before they"
            " were kept, so its files must be indexed again"
        )
    spaces = ", ".join(row.id for row in rows if row.state != "parts") or "none yet"
    what = f"no space '{name}' with factors" if name else "no space with factors"
    raise UnisearchError(
        f"the library has {what}; its spaces: {spaces}. ib_pp, internvl_ib_pp and"
        " internvl_ib_ft_pp have some"
    )


def check_names(wanted: Factors, rows: Sequence[SpaceRow]) -> None:
    """Raise UsageError for a factor that none of these spaces has."""
    known = {name for row in rows for name in row.factors}
    if unknown := wanted.keys() - known:
        has = " and ".join(sorted(known))
        raise UsageError(f"'{rows[0].name}' has no factor of {min(unknown)}: of {has}")


def needs_of_all(rooms: Rooms, spaces: Sequence[Space]) -> ReadOptions:
    """What readers should deliver for these spaces together, and the limits."""
    options = read_options(rooms.settings)
    if not spaces:
        return options
    return replace(
        options,
        image_min_side=max(space.image_min_side for space in spaces),
        audio_rate_hz=max(space.audio_rate_hz for space in spaces),
        points=max(space.points for space in spaces),
    )


def _tell_factors(rooms: Rooms, rows: Iterable[SpaceRow]) -> None:
    """One line where vectors are mixed otherwise than configured: that is for new libraries."""
    chosen = rooms.settings.spaces.factors
    wanted = factors_of(
        chosen if isinstance(chosen, str) else {"text": chosen.text, "audio": chosen.audio}
    )
    for row in rows:
        if row.factors and told(row.factors) != told(wanted) and row.id not in rooms.told:
            rooms.told.add(row.id)
            logger.warning(
                "%s: the factors of its space '%s' are %s, not %s as configured, and stay so:"
                " 'unisearch spaces turn' changes them",
                *(display(rooms.library), row.name, told(row.factors), told(wanted)),
            )


def _whose(rooms: Rooms, row: SpaceRow) -> str:
    return f"{display(rooms.library)}: its vectors belong to the space '{row.id}'"


def _foreign(rooms: Rooms, message: str) -> ForeignSpace:
    wanted = rooms.settings.space
    return ForeignSpace(
        f"{message}: 'unisearch spaces switch {wanted}' embeds its files again; or take another"
        " --library"
    )
