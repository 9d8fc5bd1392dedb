"""A job as steps: after each one everything is committed, and another job may have a turn."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from indexer import changes
from indexer.building import Building
from indexer.handover import Job
from indexer.hinted import HintedWork
from indexer.journal import Journal
from indexer.lately import Lately
from indexer.meter import Meter
from indexer.pools import Pools
from indexer.purge import purge
from indexer.report import Progress, Report
from indexer.spaces import begin_space, drop_files, end_space
from indexer.store import settle
from indexer.turn import Turn
from indexer.upkeep import Upkeep
from indexer.work import ProgressHook, Spare, Work
from unisearch.catalog.write import Writing
from unisearch.config import Settings
from unisearch.factors import parsed
from unisearch.held import wanted_space
from unisearch.wiring import Rooms


@dataclass
class Steps:
    """A job that has begun.

    report: of `index`, what was done up to the last step
    result: of the other jobs, as soon as they are done; what follows only tidies up
    """

    steps: Generator[None]
    report: Report | None = None
    result: int | None = None

    def step(self) -> bool:
        """Do the next step; whether that was the last one. Raises what the job raises."""
        return next(self.steps, self) is self

    def close(self) -> None:
        """Leave it where it is; what it committed stays."""
        self.steps.close()

    @property
    def end(self) -> Report | int:
        """What the job returns."""
        end = self.result if self.report is None else self.report
        assert end is not None, "the job has not ended"
        return end


def begin(
    rooms: Rooms,
    upkeep: Upkeep,
    building: Building,
    job: Job,
    journal: Journal,
    hook: ProgressHook | None = None,
    spare: Spare | None = None,
    pools: Pools | None = None,
    meter: Meter | None = None,
    lately: Lately | None = None,
) -> Steps:
    """The job on these rooms, and what becomes due by it; nothing is done before the first step."""
    if job.name == "index":
        options = (rooms, hook, job.retry, job.thorough, journal, pools, meter, lately)
        work = HintedWork(*options, spare=spare) if job.hinted else Work(*options)
        return Steps(_index(work, upkeep, job.paths), work.report)
    if job.name == "build":
        return _build(building, hook)
    if job.name == "turn":
        return _turn(rooms, upkeep, building, job, journal, hook)
    if job.name in ("add_space", "drop_space"):
        return _change_spaces(rooms, upkeep, building, job, journal)
    if job.now and lately is not None:
        lately.clear()
    return _change(rooms, upkeep, job, journal)


def needs_of(settings: Settings) -> str:
    """A digest of the settings that decide what `index` puts into the library.

    Whoever has others of these must do his job himself.
    """
    chosen = {
        "space": settings.space,
        "models": str(settings.models.absolute()),
        "ignore": settings.index.ignore,
        "sidecars": settings.index.sidecars,
        "limits": settings.limits.model_dump(mode="json"),
    }
    return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()


def _index(work: Work, upkeep: Upkeep, places: Sequence[bytes]) -> Generator[None]:
    for _ in work.steps(places):
        upkeep.look()
        yield
    yield from upkeep.steps(work.tell_doing)


def _build(building: Building, hook: ProgressHook | None) -> Steps:
    """Until every space is built, as far as its files are in reach."""

    def all_of_it() -> Generator[None]:
        building.look()
        while building.step():
            if hook is not None:
                hook(Progress({}, {}, 0, 0, 0.0, b"", building.doing))
            yield
        if building.error is not None:
            raise building.error
        steps.result = 0
        yield from ()

    steps = Steps(all_of_it())
    return steps


def _change_spaces(
    rooms: Rooms, upkeep: Upkeep, building: Building, job: Job, journal: Journal
) -> Steps:
    def only() -> Generator[None]:
        if job.name == "drop_space":
            with rooms.catalog.write() as tx:
                count, dropped = end_space(tx, job.space)
        else:
            with rooms.catalog.view() as view:
                rows = view.spaces()
            # Here and now: weights that do not fit, or lack their backgrounds, are told at once.
            space = wanted_space(rooms, rows, job.space)
            for modality in space.modalities:
                space.reference(modality)
            with rooms.catalog.write() as tx:
                count, dropped = begin_space(tx, space, job.goal)
        if dropped:
            upkeep.stop()  # it may build an index of what is gone
            drop_files(rooms.library, dropped)
        journal.wrote()
        building.look()
        steps.result = count
        yield from ()

    steps = Steps(only())
    return steps


def _turn(
    rooms: Rooms,
    upkeep: Upkeep,
    building: Building,
    job: Job,
    journal: Journal,
    hook: ProgressHook | None,
) -> Steps:
    def tell(doing: str) -> None:
        if hook is not None:
            hook(Progress({}, {}, 0, 0, 0.0, b"", doing))

    def all_of_it() -> Generator[None]:
        # An index of what is left need not be finished.
        turn = Turn(rooms, job.space, parsed(job.factors), upkeep.stop)
        for doing in turn.steps():
            tell(doing)
            yield
        journal.wrote()
        building.look()
        steps.result = turn.count
        yield from upkeep.steps(tell)

    steps = Steps(all_of_it())
    return steps


def _change(rooms: Rooms, upkeep: Upkeep, job: Job, journal: Journal) -> Steps:
    def only() -> Generator[None]:
        with rooms.catalog.write() as tx:
            count = _changed(tx, job)
            settle(tx, rooms.library)
        drops = job.name in ("remove_root", "relocate") or (job.name == "forget" and count)
        journal.wrote(*job.paths[: bool(drops)])
        if job.now:
            purge(rooms)
        steps.result = count
        if drops or job.now:
            yield from upkeep.steps()
        yield from ()

    steps = Steps(only())
    return steps


def _changed(tx: Writing, job: Job) -> int:
    match job.name:
        case "forget":
            return changes.forget(tx, job.paths[0], roots_too=job.now)
        case "tag":
            return changes.tag(tx, job.items, job.add, job.remove)
        case "remove_root":
            return changes.remove_root(tx, job.paths[0])
        case _:
            return changes.relocate(tx, *job.paths)
