"""The spaces whose vectors a library holds, opened once."""

from __future__ import annotations

import logging
from collections import defaultdict

from unisearch.catalog.rows import PartitionRow
from unisearch.catalog.view import View
from unisearch.engine.route import Offer
from unisearch.errors import WeightsError
from unisearch.records import Modality
from unisearch.spaces.base import Space
from unisearch.spaces.table import SPACES
from unisearch.wiring import Rooms, check_space, open_space

logger = logging.getLogger(__name__)


class LibrarySpaces:
    """Spaces by id; the configured one is preferred among equals."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._by_name: dict[str, Space] = {}
        self._names: dict[str, str] = {}  # of the library's spaces, by id
        self._missing: set[str] = set()  # spaces without weights, told once
        # What was held, and what that offers: one value, so that threads see both or neither.
        self._known: tuple[list[PartitionRow], list[Offer]] = [], []

    def __getitem__(self, space_id: str) -> Space:
        """An opened space."""
        # A list: another thread may open one meanwhile.
        return next(space for space in list(self._by_name.values()) if space.id == space_id)

    def offers(self, view: View) -> list[Offer]:
        """What can be asked in this library; the configured space alone when it is empty.

        Raises ForeignSpace when the library holds vectors, and none of a space that is here.
        """
        partitions = view.all_partitions()
        held, offers = self._known
        if partitions is not held or not partitions:
            offers = self._offered(view, partitions)
            self._known = partitions, offers
        return offers

    def _offered(self, view: View, partitions: list[PartitionRow]) -> list[Offer]:
        held: dict[str, set[Modality]] = defaultdict(set)
        for partition in partitions:
            if partition.count > partition.dead:
                held[partition.space].add(partition.modality)
        if held.keys() - self._names.keys():
            self._names = {space.id: space.name for space in view.spaces()}
        usable = [(held[space], self._open(name)) for space, name in self._here(held)]
        if not usable:  # an empty library passes
            check_space(self._rooms, self._rooms.space.id)
        offers = [_offer(space, frozenset(modalities)) for modalities, space in usable]
        offers.sort(key=lambda offer: offer.name != self._rooms.settings.space)
        return offers or [_offer(self._open(self._rooms.settings.space), frozenset())]

    def _here(self, held: dict[str, set[Modality]]) -> list[tuple[str, str]]:
        """(id, name) of the held spaces that this installation has, in the same version.

        Raises WeightsError for missing weights, when no other space could answer.
        """
        here = []
        for space in held:
            name = self._names[space]
            if name in self._missing and len(held) > 1:
                continue
            try:
                if name in SPACES and self._open(name).id == space:
                    here.append((space, name))
            except WeightsError as error:
                if len(held) == 1:
                    raise
                logger.warning("%s; its vectors are not searched", error)
                self._missing.add(name)
        return here

    def _open(self, name: str) -> Space:
        if name == self._rooms.settings.space:
            self._by_name[name] = self._rooms.space
        elif name not in self._by_name:
            self._by_name[name] = open_space(self._rooms.settings, name)
        return self._by_name[name]


def _offer(space: Space, holds: frozenset[Modality]) -> Offer:
    return Offer(space.id, space.name, frozenset(space.modalities), holds, space.quality)
