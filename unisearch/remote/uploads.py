"""Samples as files: pixels become PNG, sound WAV, points PLY; nothing seen or heard is lost."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image

from unisearch.errors import UsageError
from unisearch.records import AudioSample, ImageSample, PointSample, Sample

#: WAVE_FORMAT_IEEE_FLOAT: samples as 32-bit floats.
_FLOAT = 3


def file_of(sample: Sample) -> tuple[str, bytes]:
    """(a name with the format's suffix, the content) of a sample."""
    match sample:
        case ImageSample():
            return "query.png", png(sample)
        case AudioSample():
            return "query.wav", wav(sample)
        case PointSample():
            return "query.ply", ply(sample)
    raise UsageError(f"a {type(sample).__name__} is no file; give its text")


def png(sample: ImageSample) -> bytes:
    """The pixels (h, w, 3) as PNG, unchanged."""
    file = io.BytesIO()
    Image.fromarray(sample.pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def wav(sample: AudioSample) -> bytes:
    """Mono sound (n,) as RIFF/WAVE of 32-bit floats, unchanged."""
    data = np.asarray(sample.samples, "<f4").tobytes()
    rate = sample.rate_hz
    kind = struct.pack("<HHIIHHH", _FLOAT, 1, rate, 4 * rate, 4, 32, 0)
    fact = struct.pack("<I", len(sample.samples))
    chunks = b"".join(
        name + struct.pack("<I", len(content)) + content
        for name, content in ((b"fmt ", kind), (b"fact", fact), (b"data", data))
    )
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def ply(sample: PointSample) -> bytes:
    """Points (n, 3), with normals and colours where there are any, as binary PLY 1.0.

    Colours are rounded to 8 bits. Source of the form: http://paulbourke.net/dataformats/ply/
    """
    columns = [("xyz", "float", "<f4", sample.points)]
    names = ["x", "y", "z"]
    if sample.normals is not None:
        columns.append(("normal", "float", "<f4", sample.normals))
        names += ["nx", "ny", "nz"]
    if sample.colors is not None:
        rgb = np.rint(np.clip(sample.colors, 0, 1) * 255)
        columns.append(("rgb", "uchar", "u1", rgb))
        names += ["red", "green", "blue"]
    kinds = [(said, kind) for _, said, kind, _ in columns for _ in range(3)]
    rows = np.empty(
        len(sample.points), [(name, kind) for name, (_, kind) in zip(names, kinds, strict=True)]
    )
    values = np.concatenate([array for *_, array in columns], axis=1)
    for place, name in enumerate(names):
        rows[name] = values[:, place]
    lines = ["ply", "format binary_little_endian 1.0", f"element vertex {len(rows)}"]
    lines += [f"property {said} {name}" for name, (said, _) in zip(names, kinds, strict=True)]
    return "\n".join([*lines, "end_header", ""]).encode("ascii") + rows.tobytes()
