"""What all tests share: no settings of the developer, no hidden skips, the media fixtures."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

#: How a skip reads whose cause is a package that is not there. Other skips stay skips:
#: 'not run: set UNISEARCH_PARITY' says that fixtures which do not ship are not here.
MISSING_PACKAGE = re.compile(r"could not import|pip install|No module named")
#: Where transformers copies the code that a model's folder brings; read when it is imported.
CODE = Path(tempfile.gettempdir()) / f"unisearch-code-{os.getpid()}"
os.environ["HF_MODULES_CACHE"] = str(CODE)
#: Workers of xdist share the cores, and torch's threads spin while they wait for each other: with
#: a thread for each core in every worker, tests of networks took five times the processor's time.
os.environ.setdefault("OMP_NUM_THREADS", "1")
KEPT = ("UNISEARCH_SHARED", "UNISEARCH_NO_SKIP")
CHECKOUT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _no_settings_of_mine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see the defaults, whatever the developer's environment holds."""
    monkeypatch.delenv("COLUMNS", raising=False)  # of a terminal, or of those that run tests
    for name in os.environ:
        if name.startswith("UNISEARCH_") and name not in KEPT:
            monkeypatch.delenv(name)


@pytest.fixture(scope="session", autouse=True)
def _workers_stay() -> Iterator[None]:
    """Workers that decode files are started once, not for each test."""
    from tests.workers import KeptPools

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("indexer.holder.Pools", KeptPools)
        yield


@pytest.fixture(scope="session", autouse=True)
def _code_goes() -> Iterator[None]:
    """What was copied to CODE is of no use to anybody."""
    yield
    shutil.rmtree(CODE, ignore_errors=True)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of fixtures that do not ship: $UNISEARCH_SHARED, else beside the checkout."""
    folder = Path(os.environ.get("UNISEARCH_SHARED", CHECKOUT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("no folder of shared fixtures: set UNISEARCH_SHARED")
    return folder


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser: one for all tests of a process, in which Playwright starts no second one."""
    from tests.page.conftest import launched

    with launched() as browser:
        yield browser


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[Any]:
    """A test that is skipped for a missing package fails under `make test`."""
    return fail_if_hidden((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[Any]:
    """The same for a whole file that skips itself while it is collected."""
    return fail_if_hidden((yield))


def fail_if_hidden(report: Any) -> Any:
    """The report, turned into a failure when it hides a missing package and that is not allowed."""
    if report.outcome != "skipped" or os.environ.get("UNISEARCH_NO_SKIP") != "1":
        return report
    reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if MISSING_PACKAGE.search(str(reason)):
        report.outcome = "failed"
        report.longrepr = f"{reason}\nUNISEARCH_NO_SKIP=1: a missing package is a failure"
    return report
