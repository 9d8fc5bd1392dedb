"""Questions of several clients, answered together: one pass of the network and of each index.

A question that comes alone is begun at once. Those that come while others are being answered wait
for these to end, and then go together.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

from fastapi import HTTPException
from fastapi.concurrency import run_in_threadpool

from unisearch.engine.answer import Answer
from unisearch.engine.questions import Question

#: Questions that are answered together, at most; the others wait for the next turn.
MOST = 64
ENDS = "the server ends"

AskMany = Callable[[Sequence[Question]], list[Answer]]


class Gather:
    """Answers questions of many threads in one of its own. close() ends it.

    ask_many: as of an engine; other threads call it, too
    """

    def __init__(self, ask_many: AskMany) -> None:
        self._ask_many = ask_many
        self._waiting: deque[tuple[Question, Future[Answer]]] = deque()
        self._changed = threading.Condition()
        #: Whether no more questions are taken.
        self.ends = False
        self._thread = threading.Thread(target=self._work, name="questions", daemon=True)
        self._thread.start()

    def ask(self, question: Question) -> Answer:
        """The answer; raises as `Engine.ask`, and HTTPException 503 when the server ends."""
        return self._put(question).result() if goes_along(question) else self._alone(question)

    async def answered(self, question: Question) -> Answer:
        """As `ask`, while the event loop goes on. When it is cancelled, nobody computes it."""
        if goes_along(question):
            return await asyncio.wrap_future(self._put(question))
        return await run_in_threadpool(self._alone, question)

    def close(self) -> None:
        """End when the questions of now are answered; those that wait get none."""
        with self._changed:
            self.ends = True
            self._changed.notify()
        self._thread.join()

    def _put(self, question: Question) -> Future[Answer]:
        future: Future[Answer] = Future()
        with self._changed:
            if self.ends:
                future.set_exception(HTTPException(503, ENDS))
            else:
                self._waiting.append((question, future))
                self._changed.notify()
        return future

    def _work(self) -> None:
        while batch := self._next():
            self._answer([one for one in batch if one[1].set_running_or_notify_cancel()])
        for _, future in self._waiting:
            if future.set_running_or_notify_cancel():
                future.set_exception(HTTPException(503, ENDS))

    def _next(self) -> list[tuple[Question, Future[Answer]]]:
        """What waits, oldest first; nothing at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self.ends)
            if self.ends:
                return []
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))]

    def _answer(self, batch: Sequence[tuple[Question, Future[Answer]]]) -> None:
        """Tell each its answer, or why it has none. One that has none does not spoil the others."""
        if not batch:
            return
        try:
            answers = self._ask_many([question for question, _ in batch])
        except Exception as error:
            if len(batch) == 1:
                batch[0][1].set_exception(error)
                return
        else:
            for (_, future), answer in zip(batch, answers, strict=True):
                future.set_result(answer)
            return
        for one in batch:
            self._answer([one])

    def _alone(self, question: Question) -> Answer:
        [answer] = self._ask_many([question])
        return answer


def goes_along(question: Question) -> bool:
    """Whether a question shares its work with others, and lets them wait for little.

    A file is read for seconds, a filter looks at every file, and factors of its own have the parts
    of every vector read: none is shared.
    """
    if question.where is not None or question.under is not None or question.factors is not None:
        return False
    return not any(isinstance(one.value, Path | bytes) for one in question.terms)
