"""What the page asks of the service: every call computes, none touches the page."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import HTTPException

from unisearch.api.page.cards import Found
from unisearch.api.page.question import Question
from unisearch.api.search import ask
from unisearch.api.service import Service
from unisearch.engine import items
from unisearch.errors import UnisearchError, Unreadable
from unisearch.factors import PRESETS, told
from unisearch.held import with_factors
from unisearch.records import Modality

#: What factors.PRESETS are for.
NAMED = {"versatile": "good at everything", "at_expertise": "best at sounds"}


class Refused(Exception):
    """The service does not answer that; says why in one line."""


@dataclass(frozen=True)
class Answered:
    """The hits; no_match: nothing fits; approximate: kinds of which hits may be missing."""

    found: list[Found]
    no_match: bool
    approximate: Sequence[Modality]


async def answer(
    service: Service, question: Question, modality: Modality | None = None
) -> Answered:
    """What a question finds. Raises Refused."""
    return await asyncio.to_thread(_answer, service, question, modality)


def _answer(service: Service, question: Question, modality: Modality | None) -> Answered:
    try:
        said = ask(service, question.asked(modality), question.files())
        found = list(_still_there(service, said["hits"]))
        return Answered(found, said["no_match"], said["approximate"])
    except Unreadable as error:
        raise Refused(f"That file cannot be searched for: {error.reason}") from error
    except UnisearchError as error:
        raise Refused(f"That cannot be searched for: {error}") from error
    except HTTPException as error:
        raise Refused(str(error.detail)) from error


def _still_there(service: Service, hits: Iterable[dict[str, Any]]) -> Iterator[Found]:
    """What may be dropped from the library between the answer and this look is left out."""
    for hit in hits:
        with contextlib.suppress(HTTPException):
            yield Found(hit, known(service, hit["item"]))


def known(service: Service, item: int) -> dict[str, Any]:
    """What is known of an item. Raises HTTPException 404."""
    return items.known(service.engine.rooms, service.item(item))


async def whole(service: Service, one: Found) -> Found:
    """The same with the beginning of its text, where it is one. Raises Refused when it is gone."""
    if one.modality != "text":
        return one
    return Found(one.hit, one.item, await asyncio.to_thread(excerpt, service, one.id))


async def plain(service: Service, item: int) -> Found:
    """An item that nobody asked for by words: no score. Raises Refused when it is gone."""

    def read() -> Found:
        try:
            told = known(service, item)
        except HTTPException as error:
            raise Refused(str(error.detail)) from error
        hit = {"item": item, "path": told["path"], "modality": told["modality"], "segment": None}
        return Found(hit, told, excerpt(service, item) if told["modality"] == "text" else "")

    return await asyncio.to_thread(read)


def excerpt(service: Service, item: int) -> str:
    """The beginning of a text, '' where none was kept. Raises Refused when it is gone."""
    kept = service.engine.preview(item, "text")
    if kept is None:
        try:
            service.item(item)
        except HTTPException as error:
            raise Refused(str(error.detail)) from error
    return (kept or b"").decode("utf-8", "replace")


def folders(service: Service) -> dict[int, str]:
    """The indexed folders by id."""
    with service.engine.rooms.catalog.view() as view:
        return {root.id: os.fsdecode(root.path) for root in view.roots()}


def endings(service: Service) -> list[str]:
    """The extensions that files of the library have, without their dots."""
    with service.engine.rooms.catalog.view() as view:
        return [suffix.lstrip(".") for suffix in view.suffixes()]


def factors(service: Service) -> dict[str, str]:
    """The factors that a question may name, and what they do; {} where no space has any."""
    with service.engine.rooms.catalog.view() as view:
        rows = [row for row in view.spaces_and_parts() if row.state in ("active", "parts")]
    try:
        known = {modality for row in with_factors(rows) for modality in row.factors}
    except UnisearchError:
        return {}
    presets = {name: NAMED[name] for name, of in PRESETS.items() if of.keys() <= known}
    return {
        **presets,
        told(dict.fromkeys(known, 0.0)): "without experts",
        told(dict.fromkeys(known, 1.0)): "experts alone",
    }
