"""A sound of any length in bounded memory: what its picture needs, gathered as it streams by."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float32]

FFT_S = 0.064  # the window of a spectrum; its step at first is a quarter
COLUMNS = 1_024  # spectra kept at most; then pairs of neighbours become one
FINE = 4  # extremes are kept so many times finer
BANDS = 80
LOWEST_HZ = 50.0


class SoundSketch:
    """Highest and lowest samples, power and spectra of a sound along its time.

    Add it piece by piece. The longer it is the coarser the columns become, and of each column
    one spectrum is taken: a sound of twelve hours costs little more than one of a minute.
    """

    def __init__(self, rate_hz: int) -> None:
        self._fft = 1 << max(6, round(np.log2(FFT_S * rate_hz)))
        self._width = self._fft // 4  # samples of a column
        self._held = np.zeros(0, np.float32)
        self._bank = mel_bank(rate_hz, self._fft)
        self._window = np.hanning(self._fft + 1)[:-1].astype(np.float32)
        self._mel = np.zeros((0, BANDS), np.float32)
        self._fine = np.zeros((3, 0), np.float32)  # lowest, highest, mean power

    def add(self, samples: Floats) -> None:
        """The next samples, mono, in [-1, 1]."""
        self._held = np.concatenate([self._held, samples])
        while (whole := len(self._held) - self._fft) >= self._width:
            self._take(min(whole // self._width, COLUMNS - len(self._mel)))
            if len(self._mel) >= COLUMNS:
                self._halve()

    def mel(self) -> Floats:
        """Power in the bands of the mel scale, (columns, BANDS); a full-scale sine is about 1."""
        return self._ended()._mel

    def extremes(self) -> tuple[Floats, Floats, Floats]:
        """Lowest and highest sample and mean power, (FINE * columns,) each."""
        low, high, power = self._ended()._fine
        return low, high, power

    def _ended(self) -> SoundSketch:
        """Itself after the samples still held became columns, too, the last one maybe short."""
        left = len(self._held)
        if left:
            columns = -(-left // self._width)
            missing = columns * self._width + self._fft - left
            # The last value goes on in what is missing: silence would reach to zero.
            step = self._width // FINE
            self._held = np.concatenate([self._held, np.zeros(missing, np.float32)])
            kept = -(-left // step)
            self._take(columns)
            self._held = np.zeros(0, np.float32)
            beyond = columns * FINE - kept
            if beyond:
                self._fine[:, -beyond:] = self._fine[:, -beyond - 1 : -beyond]
        elif not len(self._mel):
            self._mel, self._fine = (
                np.zeros((1, BANDS), np.float32),
                np.zeros((3, FINE), np.float32),
            )
        return self

    def _take(self, columns: int) -> None:
        """The first columns of what is held, for good."""
        end = columns * self._width
        frames = sliding_window_view(self._held, self._fft)[: end : self._width]
        spectra = np.fft.rfft(frames * self._window)
        power = (spectra.real**2 + spectra.imag**2).astype(np.float32)
        self._mel = np.concatenate([self._mel, power @ self._bank])
        fine = self._held[:end].reshape(columns * FINE, -1)
        values = [fine.min(axis=1), fine.max(axis=1), np.square(fine).mean(axis=1)]
        self._fine = np.concatenate([self._fine, values], axis=1)
        self._held = self._held[end:]

    def _halve(self) -> None:
        self._width *= 2
        self._mel = self._mel.reshape(-1, 2, BANDS).mean(axis=1)
        low, high, power = self._fine.reshape(3, -1, 2).transpose(0, 2, 1)
        self._fine = np.stack(
            [np.minimum(*low), np.maximum(*high), (power[0] + power[1]) / 2]
        ).astype(np.float32)


def mel_bank(rate_hz: int, fft: int) -> Floats:
    """Triangles (fft / 2 + 1, BANDS) over the bins of a power spectrum; each has a sum of 1.

    Scaled so that a sine of full scale gives about 1 in its band.
    Source of the scale: D. O'Shaughnessy, Speech Communication, 1987: 2595 lg(1 + f / 700).
    """
    top = 2595.0 * np.log10(1.0 + rate_hz / 2 / 700.0)
    bottom = 2595.0 * np.log10(1.0 + min(LOWEST_HZ, rate_hz / 8) / 700.0)
    edges = 700.0 * (10.0 ** (np.linspace(bottom, top, BANDS + 2) / 2595.0) - 1.0)
    bins = np.arange(fft // 2 + 1)[:, None] * (rate_hz / fft)
    # Low bands are narrower than a bin: each is at least as wide as two.
    middle, reach = edges[1:-1], rate_hz / fft
    rise = (bins - np.minimum(edges[:-2], middle - reach)) / np.maximum(np.diff(edges)[:-1], reach)
    fall = (np.maximum(edges[2:], middle + reach) - bins) / np.maximum(np.diff(edges)[1:], reach)
    bank = np.maximum(0.0, np.minimum(rise, fall))
    # The peak of a sine's spectrum under Hann's window is fft / 4 high.
    return np.asarray(bank / bank.max(axis=0) * (4.0 / fft) ** 2, np.float32)
