"""Media as files in real formats: bytes first, then a file that must not exist yet."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import trimesh
from numpy.typing import NDArray
from PIL import Image
from trimesh.visual.material import PBRMaterial
from trimesh.visual.texture import TextureVisuals

from unisearch.errors import UnisearchError, display
from unisearch.records import TriangleMesh

MESH_SUFFIXES = (".glb", ".obj", ".ply")
PICTURE_SUFFIXES = (".png", ".jpg")
SOUND_SUFFIXES = (".wav", ".flac", ".ogg")
VIDEO_SUFFIXES = (".mp4", ".mkv")

#: container and codec by suffix; Opus takes 8, 12, 16, 24 or 48 kHz
_SOUND_FORMATS = {
    ".wav": ("wav", "pcm_s16le"),
    ".flac": ("flac", "flac"),
    ".ogg": ("ogg", "libopus"),
}
_VIDEO_FORMATS = {".mp4": "mp4", ".mkv": "matroska"}
#: No random serial number, no version of the encoder: the same media, the same bytes.
_EXACT = {"fflags": "+bitexact"}


def put(path: Path, data: bytes) -> Path:
    """Writes a new file; raises UnisearchError when there is one already."""
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError as error:
        raise exists(path) from error
    return path


def exists(path: Path) -> UnisearchError:
    """The error for a file that would be overwritten."""
    return UnisearchError(f"{display(path)} exists already and is not overwritten")


def companion(path: Path) -> Path | None:
    """The MTL file that an OBJ file names, else None. No space in it: many readers stop at one."""
    return path.with_name(path.stem.replace(" ", "_") + ".mtl") if path.suffix == ".obj" else None


def write_mesh(path: Path, mesh: TriangleMesh) -> Path:
    """The mesh as GLB (materials), OBJ with MTL beside it (materials) or PLY (vertex colours)."""
    if path.suffix == ".glb":
        return put(path, _glb(mesh))
    if path.suffix == ".ply":
        return put(path, _ply(mesh))
    materials = companion(path)
    if materials is None:
        raise _no_format(path, MESH_SUFFIXES)
    obj, mtl = _obj(mesh, materials.name)
    put(materials, mtl.encode())
    return put(path, obj.encode())


def write_picture(path: Path, pixels: NDArray[np.uint8]) -> Path:
    """Pixels (h, w, 3) or, as PNG only, (h, w, 4)."""
    kinds = {".png": "PNG", ".jpg": "JPEG"}
    if path.suffix not in kinds:
        raise _no_format(path, PICTURE_SUFFIXES)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kinds[path.suffix], quality=92)
    return put(path, buffer.getvalue())


def write_sound(path: Path, samples: NDArray[np.float32], rate_hz: int) -> Path:
    """Mono samples (n,) in [-1, 1] as WAV (16 bit), FLAC (16 bit) or OGG (Opus)."""
    if path.suffix not in _SOUND_FORMATS:
        raise _no_format(path, SOUND_SUFFIXES)
    return put(path, _sound(samples, rate_hz, *_SOUND_FORMATS[path.suffix]))


def write_video(
    path: Path, frames: NDArray[np.uint8], samples: NDArray[np.float32], rate_hz: int
) -> Path:
    """Frames (n, h, w, 3), h and w even, shown for as long as the mono sound (m,) lasts."""
    if path.suffix not in _VIDEO_FORMATS:
        raise _no_format(path, VIDEO_SUFFIXES)
    return put(path, _video(frames, samples, rate_hz, _VIDEO_FORMATS[path.suffix]))


def write_text(path: Path, text: str) -> Path:
    """One line of UTF-8."""
    return put(path, (text + "\n").encode())


def _no_format(path: Path, known: tuple[str, ...]) -> UnisearchError:
    return UnisearchError(f"{display(path)}: the name must end in {', '.join(known)}")


def _by_color(mesh: TriangleMesh) -> list[tuple[NDArray[np.float64], NDArray[np.int32]]]:
    """The faces (n, 3) of each colour (3,), colours rounded to 1/255."""
    colors = mesh.face_colors
    if colors is None:
        return [(np.full(3, 0.8), mesh.faces)]
    palette, which = np.unique(np.round(colors * 255), axis=0, return_inverse=True)
    groups = which.reshape(-1)
    return [(color / 255.0, mesh.faces[groups == i]) for i, color in enumerate(palette)]


def to_linear(srgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear light of sRGB values in [0, 1] (IEC 61966-2-1); glTF keeps colours linear."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def _glb(mesh: TriangleMesh) -> bytes:
    scene = trimesh.Scene()
    for i, (color, faces) in enumerate(_by_color(mesh)):
        used, local = np.unique(faces, return_inverse=True)
        paint = np.append(np.round(to_linear(color) * 255), 255).astype(np.uint8)
        material = PBRMaterial(  # type: ignore[no-untyped-call]
            name=f"material {i + 1}",
            baseColorFactor=paint,
            metallicFactor=0.0,
            roughnessFactor=0.8,
        )
        part = trimesh.Trimesh(mesh.vertices[used], local.reshape(-1, 3), process=False)
        part.visual = TextureVisuals(material=material)  # type: ignore[no-untyped-call]
        scene.add_geometry(part, geom_name=f"part {i + 1}")
    return bytes(scene.export(file_type="glb"))  # type: ignore[no-untyped-call]


def _ply(mesh: TriangleMesh) -> bytes:
    """Corners are not shared, so that each triangle keeps its colour."""
    corners = mesh.vertices[mesh.faces].reshape(-1, 3)
    faces = np.arange(len(corners)).reshape(-1, 3)
    colors = None
    if mesh.face_colors is not None:
        colors = np.repeat(np.round(mesh.face_colors * 255).astype(np.uint8), 3, axis=0)
    shape = trimesh.Trimesh(corners, faces, vertex_colors=colors, process=False)
    written: Any = shape.export(file_type="ply")
    return bytes(written)


def _obj(mesh: TriangleMesh, materials: str) -> tuple[str, str]:
    """The texts of an OBJ file and of the MTL file that it names."""
    obj = [f"mtllib {materials}", *("v {:.5f} {:.5f} {:.5f}".format(*v) for v in mesh.vertices)]
    mtl: list[str] = []
    for i, (color, faces) in enumerate(_by_color(mesh), start=1):
        mtl += [f"newmtl material_{i}", "Kd {:.4f} {:.4f} {:.4f}".format(*color), ""]
        obj += [f"usemtl material_{i}", *("f {} {} {}".format(*f) for f in faces + 1)]
    return "\n".join(obj) + "\n", "\n".join(mtl)


def _sound(samples: NDArray[np.float32], rate_hz: int, container: str, codec: str) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container, options=_EXACT) as output:
        stream: Any = output.add_stream(codec, rate=rate_hz, layout="mono")
        for packet in _coded_sound(stream, samples, rate_hz):
            output.mux(packet)
    return buffer.getvalue()


def _video(
    frames: NDArray[np.uint8], samples: NDArray[np.float32], rate_hz: int, container: str
) -> bytes:
    buffer = io.BytesIO()
    per_second = Fraction(len(frames) * rate_hz, len(samples)).limit_denominator(1_000)
    with av.open(buffer, "w", format=container, options=_EXACT) as output:
        shown: Any = output.add_stream("mpeg4", rate=per_second, options={"flags": "+bitexact"})
        shown.height, shown.width = frames.shape[1:3]
        shown.pix_fmt, shown.bit_rate, shown.codec_context.thread_count = "yuv420p", 2_000_000, 1
        heard: Any = output.add_stream("aac", rate=rate_hz, layout="mono")
        packets = [*_coded_pictures(shown, frames), *_coded_sound(heard, samples, rate_hz, 0)]
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            output.mux(packet)
    return buffer.getvalue()


def _coded_pictures(stream: Any, frames: NDArray[np.uint8]) -> Iterator[Any]:
    for number, pixels in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts = number
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _coded_sound(
    stream: Any, samples: NDArray[np.float32], rate_hz: int, start: int | None = None
) -> Iterator[Any]:
    whole = np.round(np.clip(samples, -1, 1) * 32767).astype(np.int16)
    resampler = av.AudioResampler(stream.format.name, "mono", rate_hz, stream.frame_size or 0)
    frame = av.AudioFrame.from_ndarray(whole[None], format="s16", layout="mono")
    frame.sample_rate, frame.pts = rate_hz, start
    for piece in [*resampler.resample(frame), *resampler.resample(None), None]:
        yield from stream.encode(piece)
