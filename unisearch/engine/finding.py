"""What the doctor says of one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

REPAIR = "unisearch repair"
INDEX_AGAIN = "unisearch index PATH of their folder"
RESTORE = "restore a copy of the library, or index anew; 'unisearch repair' says what is readable"
FREE = "may be removed"


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    level: 'error': answers may be wrong or missing until it is mended
    subject: where; message: what it is and what it means; advice: what to do, empty when nothing
    """

    level: Literal["ok", "warning", "error"]
    subject: str
    message: str
    advice: str = ""
