"""Sounds for parity fixtures: made by rule instead of being stored."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def sound(seed: int, samples: int, rate_hz: int = 48_000) -> NDArray[np.float32]:
    """float32 (samples,): a gliding tone with overtones, steps of loudness, and a little noise.

    Other content at every place, so that it matters which part of it is heard.
    """
    rng = np.random.default_rng(seed)
    time_s = np.arange(samples) / rate_hz
    base, glide, pulse = rng.uniform((110, 5, 1), (440, 40, 4))
    phase = 2 * np.pi * (base * time_s + glide * time_s**2)
    tone = sum(np.sin(number * phase) / number for number in (1, 2, 3, 7))
    loud = 0.5 + 0.5 * np.sign(np.sin(2 * np.pi * pulse * time_s))
    noise = rng.standard_normal(samples) * (0.002 + 0.01 * time_s / time_s[-1])
    return (0.25 * loud * tone + noise).astype(np.float32)
