"""What goes over the line, as types: the OpenAPI document is made of these."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from unisearch.engine.answer import Answer
from unisearch.engine.terms import MAX_ID, MAX_WEIGHT
from unisearch.records import Modality

#: Terms of one question, and hits of one answer, at most.
MOST_TERMS, MOST_HITS, MOST_OFFSET = 32, 200, 1_000
#: Questions of one batch, at most.
MOST_QUESTIONS = 64
#: Letters of factors, at most.
MOST_FACTORS = 200

#: They hold something but blanks.
Words = Annotated[str, StringConstraints(min_length=1, max_length=4_000, pattern=r"\S")]
#: Of a unit vector; the length itself is looked at later, in single precision.
Coordinate = Annotated[float, Field(ge=-1.01, le=1.01, allow_inf_nan=False)]


class Body(BaseModel):
    """What a client sends; a field that is not known is an error."""

    model_config = ConfigDict(extra="forbid")


class TermIn(Body):
    """One part of a question: exactly one of text, item, vector and file."""

    text: Words | None = Field(None, examples=["a dog barking"])
    item: int | None = Field(None, ge=1, le=MAX_ID, description="id of an item of the library")
    vector: list[Coordinate] | None = Field(
        None, max_length=8_192, description="unit vector of the library's space"
    )
    modality: Modality | None = Field(None, description="of what the vector was made from")
    file: int | None = Field(
        None, ge=0, lt=MOST_TERMS, description="place of an uploaded file, from 0 on"
    )
    weight: float = Field(
        1.0, ge=-MAX_WEIGHT, le=MAX_WEIGHT, description="how much it counts; negative repels"
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        given = [self.text, self.item, self.vector, self.file]
        if sum(value is not None for value in given) != 1:
            raise ValueError("exactly one of text, item, vector and file")
        if (self.vector is None) != (self.modality is None):
            raise ValueError("a vector needs the modality that it was made from, others do not")
        if abs(self.weight) < 0.001:
            raise ValueError("a weight is at least 0.001, or at most -0.001")
        return self


class SearchIn(Body):
    """A question."""

    terms: list[TermIn] = Field([], max_length=MOST_TERMS, examples=[[{"text": "a dog barking"}]])
    into: list[Modality] | None = Field(None, min_length=1, description="kinds to answer with")
    k: int = Field(10, ge=1, le=MOST_HITS, description="hits of this page")
    offset: int = Field(0, ge=0, le=MOST_OFFSET, description="hits before this page")
    each: bool = Field(False, description="k of each kind")
    where: str | None = Field(
        None, max_length=2_000, examples=["duration < 5"], description="see docs/filters.md"
    )
    root: int | None = Field(None, ge=1, le=MAX_ID, description="only files of this folder")
    min_score: float | None = Field(None, allow_inf_nan=False)
    names: bool = Field(True, description="also look words up in names and texts")
    factors: Annotated[str, Field(max_length=MOST_FACTORS)] | dict[str, float] | None = Field(
        None,
        examples=["at_expertise", {"audio": 0.8, "text": 0.5}],
        description="how much of its experts counts this once, in a space that has some; all"
        " questions of a batch name the same",
    )


class TermOut(BaseModel):
    """A term as it was understood."""

    modality: Modality
    term: str
    weight: float
    space: str


class SegmentOut(BaseModel):
    """The part of the file that fits best."""

    start_s: float | None
    end_s: float | None
    text: str


class HitOut(BaseModel):
    """One answer; see docs/ranking.md for score, weak and expected_by_chance."""

    rank: int = Field(examples=[1])
    item: int = Field(examples=[17])
    path: str = Field(examples=["/media/dog.wav"])
    path_b64: str | None = None
    modality: Modality
    score: float = Field(examples=[5.2])
    similarity: float = Field(examples=[0.31])
    weak: bool = Field(examples=[False])
    expected_by_chance: float = Field(examples=[0.0001])
    matched: Literal["vector", "name", "both"]
    copies: int
    segment: SegmentOut | None
    space: str


class AnswerOut(BaseModel):
    """Hits, best first. no_match: chance alone explains every one of them."""

    query: list[TermOut]
    hits: list[HitOut]
    no_match: bool
    counts: dict[str, int] = Field(description="hits of this page by kind")
    next_offset: int | None = Field(description="where the next page begins, if there may be one")
    took_ms: dict[str, float]
    factors: dict[Modality, float] | None = Field(
        None, description="by which it was answered, where the question named some"
    )
    approximate: list[Modality] = Field(
        [], description="kinds of which hits may be missing: see docs/spaces.md"
    )


class BatchIn(Body):
    """Questions that are answered together."""

    questions: list[SearchIn] = Field(
        min_length=1, max_length=MOST_QUESTIONS,
        examples=[[{"terms": [{"text": "a dog barking"}]}, {"terms": [{"item": 17}], "k": 3}]],
    )  # fmt: skip


class BatchOut(BaseModel):
    """Their answers, in the same order; took_ms of each is that of all."""

    answers: list[AnswerOut]


def answer_out(answer: Answer, asked: SearchIn) -> dict[str, Any]:
    """One page of an answer, as plain values. An upload is told by its place: 'file:0'."""
    whole = replace(answer, hits=answer.hits[asked.offset :]).to_json()
    whole = {"factors": None, "approximate": [], **whole}  # the same fields always
    for told, term in zip(whole["query"], asked.terms, strict=True):
        if term.file is not None:
            told["term"] = f"file:{term.file}"
    counts: dict[str, int] = {}
    for hit in whole["hits"]:
        hit.setdefault("path_b64", None)
        counts[hit["modality"]] = counts.get(hit["modality"], 0) + 1
    end = asked.offset + asked.k
    more = len(answer.hits) >= end and not asked.each and end <= MOST_OFFSET
    return whole | {"counts": counts, "next_offset": end if more else None}
