"""What a run would do, as far as it shows without decoding anything. Writes nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence

from indexer.detect import look_at, modality_at, outcome_of, survey, unlisted
from indexer.report import Failure, Report
from indexer.rules import scan_of
from indexer.scan import Found, Scan
from indexer.swaps import swapped
from unisearch.catalog.rows import KnownFile
from unisearch.catalog.view import View
from unisearch.errors import Unreadable
from unisearch.held import check_spaces
from unisearch.wiring import Rooms, max_file_bytes


class Foresight:
    """Counts what a run over some places would do."""

    def __init__(self, rooms: Rooms, retry: bool = False, thorough: bool = False) -> None:
        self.rooms = rooms
        self._retry = retry
        self._thorough = thorough
        self.report = Report()
        self._claimed: set[int] = set()

    def over(self, places: Sequence[bytes]) -> Report:
        """The report that a run would end with, but for files that turn out to be unreadable."""
        started = time.monotonic()
        check_spaces(self.rooms)
        with self.rooms.catalog.view() as view:
            gone = {item for place in places for item in self._place(place, view)}
        self.report.removed = len(gone - self._claimed)
        self.report.seconds = time.monotonic() - started
        return self.report

    def _place(self, place: bytes, view: View) -> list[int]:
        """Counts one place; the items that are gone there."""
        found = survey(scan_of(self.rooms, place), view, self._retry, self._thorough)
        self.report.unchanged += found.unchanged
        self.report.ignored += found.ignored
        self.report.left_out += found.left_out
        self.report.failed += found.failed
        changed = swapped(found.look, found.known)
        for file in found.look:
            self._look(file, found.known.get(file.path), changed.get(file.path), view)
        return list(found.gone.values())

    def _look(
        self, file: Found, before: KnownFile | None, other: KnownFile | None, view: View
    ) -> None:
        before = other or before
        try:
            found = look_at(file, before, view, self._claimed, max_file_bytes(self.rooms.settings))
        except Unreadable as error:
            self.report.failed.append(Failure.of(file.path, error))
            return
        if found.item is not None:
            self._claimed.add(found.item)
        outcome = "moved" if other and found.kind == "same" else outcome_of(found, before)
        self.report.count(outcome, modality_at(file.path))


def foresee_first(places: Sequence[bytes], ignore: Sequence[str]) -> Report:
    """What the first run of a library would do: there is nothing to compare with."""
    report = Report()
    for place in places:
        scan = Scan(place, ignore)
        for file in scan:
            modality = modality_at(file.path)
            if modality is None:
                report.ignored += 1
            else:
                report.count("added", modality)
        report.failed += unlisted(scan)
        report.left_out += scan.left_out
    return report
