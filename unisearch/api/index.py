"""Index jobs: the library's folders are looked through again. No path comes from a client."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from unisearch.api.jobs import Job, State
from unisearch.api.problems import problems
from unisearch.api.schemas import Body
from unisearch.api.service import Served
from unisearch.engine.terms import MAX_ID

router = APIRouter(prefix="/v1/index", tags=["index"])

JobId = Annotated[int, Path(ge=1, le=MAX_ID, examples=[1])]
RootId = Annotated[int, Field(ge=1, le=MAX_ID)]


class IndexIn(Body):
    """Which folders to look through."""

    roots: list[RootId] | None = Field(
        None, min_length=1, max_length=1_000, examples=[[1]],
        description="ids of indexed folders, as items tell them; null: all",
    )  # fmt: skip
    retry_failed: bool = Field(False, description="read files again that failed before")


class ProgressOut(BaseModel):
    """Where a run is: files by kind. doing: what goes on after the last file."""

    done: dict[str, int] = Field(examples=[{"image": 12}])
    total: dict[str, int] = Field(examples=[{"image": 40, "audio": 2}])
    unchanged: int
    failed: int
    seconds: float
    left_s: float | None
    doing: str


class FailureOut(BaseModel):
    """A file that is not searchable, and why."""

    path: str = Field(examples=["/media/broken.png"])
    path_b64: str | None = None
    kind: str = Field(examples=["corrupt"])
    message: str = Field(examples=["the picture ends too early"])


class JobOut(BaseModel):
    """An index job. Times are seconds since 1970.

    counts: at its end; failed: how many files are not searchable, of which the first are listed
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "job": 1, "state": "running", "roots": [1], "retry_failed": False,
                    "asked_s": 1760000000.0, "began_s": 1760000000.1, "ended_s": None,
                    "progress": {
                        "done": {"image": 12}, "total": {"image": 40}, "unchanged": 3, "failed": 0,
                        "seconds": 1.5, "left_s": 3.5, "doing": "",
                    },
                    "counts": None, "failed": 0, "failures": [], "error": None,
                }
            ]
        }
    )  # fmt: skip

    job: int
    state: State
    roots: list[int]
    retry_failed: bool
    asked_s: float
    began_s: float | None
    ended_s: float | None
    progress: ProgressOut | None
    counts: dict[str, int] | None
    failed: int
    failures: list[FailureOut]
    error: str | None


@router.post("", status_code=202, response_model=JobOut, responses=problems(404, 422))
def begin(service: Served, response: Response, wanted: IndexIn) -> dict[str, Any]:
    """Bring the library in step with its folders; done after the jobs that came before."""
    roots = service.roots()
    if wanted.roots is not None:
        by_id = {root.id: root for root in roots}
        for root in wanted.roots:
            if root not in by_id:
                raise HTTPException(404, f"root {root}: the library has no such folder")
        roots = [by_id[root] for root in dict.fromkeys(wanted.roots)]
    job = service.jobs.ask(roots, wanted.retry_failed)
    response.headers["Location"] = f"/v1/index/{job.number}"
    return job.to_json()


@router.get("", response_model=list[JobOut], responses=problems())
def jobs(service: Served) -> list[dict[str, Any]]:
    """The jobs since the server began, the newest first."""
    return [job.to_json() for job in service.jobs.all()]


@router.get("/{job}", response_model=JobOut, responses=problems(404, 422))
def one(service: Served, job: JobId) -> dict[str, Any]:
    """A job: where it is, what it did, and what failed."""
    return found(service, job).to_json()


@router.delete("/{job}", response_model=JobOut, responses=problems(404, 422))
def cancel(service: Served, job: JobId) -> dict[str, Any]:
    """Have a job end soon. What it has done stays; a later one goes on from there."""
    asked = found(service, job)
    service.jobs.cancel(asked)
    return asked.to_json()


def found(service: Served, number: int) -> Job:
    """The job of that number. Raises HTTPException 404."""
    job = service.jobs.get(number)
    if job is None:
        raise HTTPException(404, f"job {number}: there is no such job (any more)")
    return job
