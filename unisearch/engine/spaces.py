"""The spaces that answer in a library, opened once."""

from __future__ import annotations

from collections import defaultdict

from unisearch.catalog.rows import PartitionRow, SpaceRow
from unisearch.catalog.view import View
from unisearch.engine.route import Offer
from unisearch.held import active_spaces, covered
from unisearch.records import Modality
from unisearch.spaces.base import Space
from unisearch.wiring import Rooms


class LibrarySpaces:
    """The active spaces by id; the configured one is preferred among equals."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._opened: dict[str, Space] = {}  # added to one by one: threads may share it
        # What was held, and what that offers: one value, so that threads see both or neither.
        self._known: tuple[list[PartitionRow], list[SpaceRow], list[Offer]] = [], [], []

    def __getitem__(self, space_id: str) -> Space:
        """An opened space."""
        return self._opened[space_id]

    def offers(self, view: View) -> list[Offer]:
        """What can be asked in this library; the configured space alone when it is empty.

        A space that is being built is not asked: it would find half of the library.
        Raises ForeignSpace when none of the library's spaces is here, and WeightsError when its
        only one has no weights here.
        """
        partitions, rows = view.all_partitions(), view.spaces_and_parts()
        held, spaces, offers = self._known
        if partitions is not held or rows is not spaces or not offers:
            offers = self._offered(partitions, rows)
            self._known = partitions, rows, offers
        return offers

    @property
    def image_min_side(self) -> int:
        """What all of them need of a picture."""
        if not self._opened:
            with self._rooms.catalog.view() as view:
                self.offers(view)
        return max(space.image_min_side for space in list(self._opened.values()))

    def _offered(self, partitions: list[PartitionRow], rows: list[SpaceRow]) -> list[Offer]:
        held: dict[str, set[Modality]] = defaultdict(set)
        for partition in partitions:
            if partition.count > partition.dead:
                held[partition.space].add(partition.modality)
        spaces = active_spaces(self._rooms, rows)
        for space in spaces:
            self._opened[space.id] = space
        offers = [_offer(space, frozenset(held[space.id])) for space in spaces]
        return sorted(offers, key=lambda offer: offer.name != self._rooms.settings.space)


def _offer(space: Space, holds: frozenset[Modality]) -> Offer:
    return Offer(space.id, space.name, frozenset(covered(space)), holds, space.quality)
