"""How much memory is free, to say beforehand whether a model fits."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

#: Beside the weights: what a forward pass takes, and Python with torch.
OVERHEAD_BYTES, OVERHEAD_SHARE = 1_500_000_000, 0.1


def needed_bytes(weights_bytes: int) -> int:
    """About what a process takes that searches with these weights."""
    return int(weights_bytes * (1 + OVERHEAD_SHARE)) + OVERHEAD_BYTES


def free_ram_bytes() -> int | None:
    """What programs may take without swapping; None when the system does not tell."""
    with suppress(OSError, ValueError):
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    with suppress(OSError, ValueError, AttributeError):  # macOS: all there is
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def free_vram_bytes() -> int | None:
    """Of the first GPU that PyTorch can use; None without one."""
    if shutil.which("nvidia-smi") is None and shutil.which("rocm-smi") is None:
        return None  # and torch need not be loaded
    import torch

    if not torch.cuda.is_available():
        return None
    return int(torch.cuda.mem_get_info()[0])
