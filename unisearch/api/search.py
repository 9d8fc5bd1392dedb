"""Questions: as JSON, or as a form with files."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import orjson
from fastapi import APIRouter, File, Form, HTTPException, Response, UploadFile
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError

from unisearch.api.problems import problems
from unisearch.api.schemas import (
    MOST_TERMS,
    AnswerOut,
    BatchIn,
    BatchOut,
    SearchIn,
    TermIn,
    answer_out,
)
from unisearch.api.service import Served, Service
from unisearch.engine.encode import suffix_of
from unisearch.engine.questions import Question, each
from unisearch.engine.terms import Term, Vector
from unisearch.errors import Unreadable, UsageError, numbered
from unisearch.factors import factors_of
from unisearch.media.read import modality_of

router = APIRouter(prefix="/v1", tags=["search"])

#: So much of an upload tells its format.
HEAD_BYTES = 4_096


@router.post("/search", response_model=AnswerOut, responses=problems(404, 415, 422))
async def search(service: Served, question: SearchIn) -> Response:
    """Answer a question of words, items and vectors.

    Those of several clients that wait at the same time pass the network and each index together.
    """
    if question.root is None:
        answer = await service.gather.answered(question_of(service, question, []))
        told = answer_out(answer, question)
    else:  # its folder is looked up first
        told = await run_in_threadpool(ask, service, question, [])
    # Not checked against the model a second time: tests/api/test_schema.py does.
    return Response(orjson.dumps(told), media_type="application/json")


@router.post("/search/files", response_model=AnswerOut, responses=problems(404, 415, 422))
def search_files(
    service: Served,
    files: Annotated[list[UploadFile], File(description="pictures, sounds, models, videos, texts")],
    question: Annotated[
        str,
        Form(
            description="JSON as for /v1/search; a term {'file': 0} weighs the first file",
            examples=['{"k": 5, "into": ["image"]}'],
        ),
    ] = "{}",
) -> dict[str, Any]:
    """Answer a question with uploaded files, which are read in a process of their own.

    A file that no term names counts as a term of its own.
    """
    if len(files) > MOST_TERMS:
        raise HTTPException(422, f"files: at most {MOST_TERMS}")
    try:
        asked = SearchIn.model_validate_json(question)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in ("question", *first["loc"]))
        raise HTTPException(422, f"{where}: {first['msg']}") from None
    named = {term.file for term in asked.terms}
    rest = [TermIn(file=place) for place in range(len(files)) if place not in named]
    asked = asked.model_copy(update={"terms": [*asked.terms, *rest]})
    with tempfile.TemporaryDirectory(prefix="unisearch-") as folder:
        kept = [keep(upload, Path(folder), place) for place, upload in enumerate(files)]
        return ask(service, asked, kept)


@router.post("/search/batch", response_model=BatchOut, responses=problems(404, 422))
def search_batch(service: Served, batch: BatchIn) -> dict[str, Any]:
    """Answer many questions at a time, of one state of the library; files are none of them.

    Their words pass the network together, and those without a filter each index. When one cannot
    be answered, none is: of several the problem says which one, as 'questions.1' counted from 0.
    """
    # Beside `gather`: a batch shares its passes already, and with it in a turn everybody's single
    # question would wait for all of the batch.
    asked = batch.questions
    questions = each(partial(question_at, service), range(len(asked)), asked)
    answers = service.engine.ask_many(questions)
    return {
        "answers": [answer_out(answer, one) for answer, one in zip(answers, asked, strict=True)]
    }


def ask(service: Service, asked: SearchIn, files: Sequence[Path]) -> dict[str, Any]:
    """One page of the answer."""
    try:
        answer = service.gather.ask(question_of(service, asked, files))
    except Unreadable as error:  # a path of ours is nothing to the client
        told = Unreadable("the upload", error.kind, error.reason, transient=error.transient)
        raise told from None
    return answer_out(answer, asked)


def question_of(service: Service, asked: SearchIn, files: Sequence[Path]) -> Question:
    """The engine's question. Raises HTTPException 404 for a folder that the library has not."""
    root = None if asked.root is None else service.root(asked.root)
    return Question(
        [term_of(term, files) for term in asked.terms],
        into=asked.into,
        k=asked.offset + asked.k,
        where=asked.where,
        each=asked.each,
        under=None if root is None else Path(os.fsdecode(root.path)),
        min_score=asked.min_score,
        names=asked.names,
        factors=None if asked.factors is None else factors_of(asked.factors),
    )


def question_at(service: Service, place: int, asked: SearchIn) -> Question:
    """As `question_of`, of a batch: a folder that the library has not is told with the place."""
    try:
        return question_of(service, asked, [])
    except HTTPException as error:
        raise HTTPException(error.status_code, numbered(place, str(error.detail))) from None


def term_of(term: TermIn, files: Sequence[Path]) -> Term:
    """The engine's term. Raises UsageError for a file that was not sent."""
    value: str | int | Path | Vector
    if term.file is not None:
        if term.file >= len(files):
            came = f"{len(files)} came along, counted from 0"
            raise UsageError(f"file {term.file}: {came}; POST /v1/search/files takes them")
        value = files[term.file]
    elif term.vector is not None:
        assert term.modality is not None
        value = Vector(np.asarray(term.vector, np.float32), term.modality)
    else:
        value = term.text if term.text is not None else int(term.item or 0)
    return replace(Term(value), weight=term.weight)


def format_of(head: bytes) -> str:
    """The suffix of an upload whose name tells none. Raises Unreadable."""
    if not head:
        raise Unreadable("the upload", "corrupt", "the file is empty")
    try:
        return suffix_of(head)
    except Unreadable as error:  # its count is of the first bytes only
        raise Unreadable("the upload", error.kind, error.reason) from None


def keep(upload: UploadFile, folder: Path, place: int) -> Path:
    """The upload as a file of ours, with nothing of the client's name but a known suffix.

    Raises Unreadable for one of no known format.
    """
    suffix = Path(upload.filename or "").suffix.lower()
    if modality_of(Path("query" + suffix)) is None:
        head = upload.file.read(HEAD_BYTES)
        upload.file.seek(0)
        suffix = format_of(head)
    path = folder / f"{place}{suffix}"
    with path.open("wb") as file:
        shutil.copyfileobj(upload.file, file)
    return path
