"""Any order of changes leaves what a plain dictionary says (hypothesis)."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.storage.store import Store, check, check_clean

#: Few numbers, so that files share a content now and then.
SEEDS = st.integers(1, 400)


class Library(RuleBasedStateMachine):
    @initialize()
    def make(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="unisearch-model-"))
        self.store = Store(self.folder / "library")
        self.store.add({})
        self.reference: dict[str, int] = {}
        self.names = 0

    @rule(first=SEEDS, count=st.sampled_from([1, 2, 30, 120]))
    def add(self, first: int, count: int) -> None:
        files = {f"{self.names + at}.bin": first + at for at in range(count)}
        self.names += count
        self.store.add(files)
        self.reference.update(files)

    @precondition(lambda self: self.reference)
    @rule(start=st.integers(0, 300), step=st.integers(1, 4))
    def delete(self, start: int, step: int) -> None:
        gone = sorted(self.reference)[start % len(self.reference) :: step]
        self.store.remove(gone)
        for name in gone:
            del self.reference[name]

    @precondition(lambda self: self.reference)
    @rule(which=st.integers(0, 300))
    def move(self, which: int) -> None:
        old = sorted(self.reference)[which % len(self.reference)]
        self.names += 1
        new = f"moved {self.names}.bin"
        self.store.move(old, new)
        self.reference[new] = self.reference.pop(old)

    @rule()
    def snapshot(self) -> None:
        self.store.snapshot()

    @rule()
    def compact(self) -> None:
        self.store.compact()

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = Store(self.folder / "library")
        check_clean(self.folder / "library")

    @invariant()
    def the_library_is_the_dictionary(self) -> None:
        if hasattr(self, "store"):
            check(self.folder / "library", self.reference)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)


def run_machine(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Library,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_any_order_of_changes_leaves_what_a_dictionary_says() -> None:
    run_machine(examples=8, steps=12)


@pytest.mark.soak
def test_many_orders_of_changes_leave_what_a_dictionary_says() -> None:
    run_machine(examples=60, steps=30)
