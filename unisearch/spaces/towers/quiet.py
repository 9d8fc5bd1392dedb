"""What transformers says while it builds a network stays out of the user's sight."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def quiet() -> Iterator[None]:
    """transformers shows no bars and warns of nothing: what is wrong is one line of ours.

    It warns of SigLIP's default settings, whatever those of the file are, while it writes a log.
    """
    from transformers.utils import logging

    told: Any = logging  # of functions without types
    before = told.get_verbosity()
    told.set_verbosity_error()
    told.disable_progress_bar()
    try:
        yield
    finally:
        told.set_verbosity(before)
        told.enable_progress_bar()
