"""Terms in, a question ready to be searched for out: vectors, and what the words match."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from unisearch.catalog.view import View
from unisearch.engine.chance import Floats
from unisearch.engine.encode import Decode, encode, likely_modality
from unisearch.engine.lanes import Keys, Partitions
from unisearch.engine.route import Offer, refuse_uncovered, routed
from unisearch.engine.spaces import LibrarySpaces
from unisearch.engine.terms import Asked, Term, Vector, Wanted
from unisearch.errors import UnisearchError
from unisearch.records import Modality, ReadOptions, Sample, TextSample
from unisearch.spaces.base import Space
from unisearch.wiring import Rooms, read_options

#: The space of each modality that is wanted, for a term of the given modality.
Choose = Callable[..., dict[Modality, str]]


class Understanding:
    """Encodes terms into the spaces that answer them, and looks their words up."""

    def __init__(
        self, rooms: Rooms, spaces: LibrarySpaces, partitions: Partitions, read_file: Decode
    ) -> None:
        self._rooms = rooms
        self.read_file = read_file
        self._spaces = spaces
        self._partitions = partitions
        self._read_options: dict[str, ReadOptions] = {}
        # The offers and what was chosen of them: one value, so that threads see both or neither.
        self._chosen: tuple[Sequence[Offer], dict[Any, dict[Modality, str]]] = (), {}

    def words(
        self, view: View, questions: Sequence[tuple[Sequence[Term], Wanted]]
    ) -> dict[tuple[str, str], Floats]:
        """The vectors of all their words, by space and words: one pass of each network."""
        texts: dict[str, dict[str, None]] = {}
        offers = self._spaces.offers(view)
        able = {offer.space for offer in offers if "text" in offer.asks}
        for terms, wanted in questions:
            spaces = able.intersection(self._choose(offers, wanted, "text").values())
            words = [term.value for term in terms if isinstance(term.value, str)]
            for space in spaces:
                texts.setdefault(space, {}).update(dict.fromkeys(words))
        return {
            (space, text): vector
            for space, several in texts.items()
            if several
            for text, vector in zip(
                several, self._spaces[space].encode(list(map(TextSample, several))), strict=True
            )
        }

    def asked(
        self,
        view: View,
        terms: Sequence[Term],
        wanted: Wanted,
        names: bool,
        words: Mapping[tuple[str, str], Floats] | None = None,
    ) -> Asked:
        """The question with its vectors. words: those that are known already, see `words`"""
        modalities: list[Modality] = []
        spaces: list[Mapping[Modality, str]] = []
        vectors: dict[str, Floats] = {}
        own: dict[Modality, Keys] = {}
        offers = self._spaces.offers(view)
        choose = partial(self._choose, offers, wanted)
        for place, term in enumerate(terms):
            if isinstance(term.value, int):
                modality, found, parts = self._stored(view, term.value, choose)
                for kind, keys in parts.items():
                    own[kind] = np.union1d(own.get(kind, keys), keys)
            else:
                if not isinstance(term.value, Path | bytes):  # what a file is shows on reading it
                    refuse_uncovered(likely_modality(term.value), wanted.modalities, offers)
                modality, found = self._encoded(term.value, choose, words or {})
            refuse_uncovered(modality, wanted.modalities, offers)
            modalities.append(modality)
            spaces.append(choose(modality))
            for space, vector in found.items():
                rows = vectors.setdefault(space, np.zeros((len(terms), len(vector)), np.float32))
                rows[place] = vector
        ranks, items = self._names(view, terms, wanted) if names else ({}, {})
        return Asked(
            terms=terms,
            modalities=modalities,
            spaces=spaces,
            vectors=vectors,
            weights=np.array([term.weight for term in terms], dtype=np.float32),
            names=ranks,
            items=items,
            own=own,
        )

    def _choose(
        self, offers: Sequence[Offer], wanted: Wanted, modality: Modality, stored: bool = False
    ) -> dict[Modality, str]:
        """The space of each wanted modality, for a term of that modality.

        stored: only spaces that hold vectors of the term's own modality
        A library that has nothing of what is wanted is asked in its first space.
        """
        of, chosen = self._chosen
        if of is not offers:
            of, chosen = self._chosen = offers, {}
        key = modality, stored, *wanted.modalities
        if key not in chosen:
            able = [offer for offer in offers if not stored or modality in offer.holds]
            routes = self._rooms.settings.search.routes
            found = routed(modality, wanted.modalities, able, routes)
            chosen[key] = found or ({modality: able[0].space} if able else {})
        return chosen[key]

    def _encoded(
        self,
        value: str | Path | bytes | Sample | Vector,
        choose: Choose,
        words: Mapping[tuple[str, str], Floats],
    ) -> tuple[Modality, dict[str, Floats]]:
        """(modality, unit vectors (dim,) by space) of what a term holds. Raises Unreadable.

        What a file is shows when it is read: then other spaces may be the right ones.
        """
        modality = likely_modality(value)
        found: dict[str, Floats] = {}
        while missing := [space for space in choose(modality).values() if space not in found]:
            space = self._spaces[missing[0]]
            if isinstance(value, str) and (space.id, value) in words:
                found[space.id] = words[space.id, value]
                continue
            modality, found[space.id] = encode(space, value, self._options(space), self.read_file)
        return modality, found

    def _options(self, space: Space) -> ReadOptions:
        """What readers should deliver for a space; gathered once."""
        known = self._read_options.get(space.id)
        if known is None:
            known = self._read_options[space.id] = read_options(self._rooms.settings, space)
        return known

    def _names(
        self, view: View, terms: Sequence[Term], wanted: Wanted
    ) -> tuple[dict[int, float], dict[int, int]]:
        """(how well, whose name) by segment: names, captions and passages that hold a sentence."""
        ranks: dict[int, float] = {}
        items: dict[int, int] = {}
        limit = max(self._rooms.settings.search.candidates, 20 * wanted.k)
        for term in terms:
            if not isinstance(term.value, str) or term.weight < 0:
                continue
            for match in view.match_words(
                term.value, limit, wanted.modalities, wanted.under, wanted.where
            ):
                ranks[match.segment] = max(match.rank, ranks.get(match.segment, 0.0))
                if match.item is not None:
                    items[match.segment] = match.item
        return ranks, items

    def _stored(
        self, view: View, item: int, choose: Choose
    ) -> tuple[Modality, dict[str, Floats], dict[Modality, Keys]]:
        """(modality, unit vectors (dim,) by space, segments by modality) of an item.

        Of a long one the mean counts, of those segments whose rows are not damaged. Of a video
        what is seen counts; what is heard only where nothing is seen.
        """
        row = view.item(item)
        if row is None:
            raise UnisearchError(f"item:{item}: the library has no such item")
        parts = view.segments_of(item)
        modality = row.modality if row.modality in parts else next(iter(parts), None)
        spaces = set(choose(modality, stored=True).values()) if modality else set()
        if modality is None or not spaces:
            raise UnisearchError(f"item:{item}: has no vector in this library")
        keys = parts[modality]
        found = {}
        for space in spaces:
            states = view.partitions(space)
            reader = self._partitions.of(view, self._spaces[space], modality, states)
            sound = reader.sound(keys) if reader else keys[:0]
            if reader is None or not len(sound):
                raise UnisearchError(
                    f"item:{item}: its vectors in '{space}' are missing or damaged:"
                    " 'unisearch doctor' says more"
                )
            total = reader.vectors(sound).sum(axis=0)
            found[space] = total / np.linalg.norm(total)
        return modality, found, parts
