"""Small real files of every kind that the readers know, and where the shared corpus lies."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray
from PIL import Image

from tests.films import Scene, write_film
from unisearch.media import formats

Write = Callable[[Path], Path]

SENTENCE = "A red fox jumps over a lazy dog"

_TEXTS = {
    ".html": f"<html><body><p>{SENTENCE}.</p></body></html>",
    ".json": f'{{"caption": "{SENTENCE}."}}',
    ".jsonl": f'{{"caption": "{SENTENCE}."}}\n{{"caption": "Rain."}}\n',
    ".srt": f"1\n00:00:01,000 --> 00:00:02,000\n{SENTENCE}.\n",
    ".vtt": f"WEBVTT\n\n00:01.000 --> 00:02.000\n{SENTENCE}.\n",
    ".csv": f'name,caption\nfox,"{SENTENCE}"\n',
    ".tsv": f"name\tcaption\nfox\t{SENTENCE}\n",
}
_TEXTS |= {".htm": _TEXTS[".html"], ".xhtml": _TEXTS[".html"], ".ndjson": _TEXTS[".jsonl"]}

_CODECS = {
    ".wav": ("wav", "pcm_s16le"),
    ".flac": ("flac", "flac"),
    ".mp3": ("mp3", "libmp3lame"),
    ".ogg": ("ogg", "libopus"),
    ".oga": ("ogg", "libopus"),
    ".opus": ("ogg", "libopus"),
    ".m4a": ("mp4", "aac"),
    ".m4b": ("mp4", "aac"),
    ".aac": ("adts", "aac"),
    ".aiff": ("aiff", "pcm_s16be"),
    ".aif": ("aiff", "pcm_s16be"),
    ".wma": ("asf", "wmav2"),
    ".mka": ("matroska", "libopus"),
    ".weba": ("webm", "libopus"),
    ".caf": ("caf", "pcm_s16be"),
    ".au": ("au", "pcm_s16be"),
}

_PICTURES = {".jpg": "JPEG", ".png": "PNG", ".gif": "GIF", ".bmp": "BMP", ".tif": "TIFF"}
_PICTURES |= {".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG", ".apng": "PNG", ".dib": "DIB"}
_PICTURES |= {".tiff": "TIFF", ".webp": "WEBP", ".avif": "AVIF", ".jp2": "JPEG2000"}
_PICTURES |= {".heic": "HEIF", ".heif": "HEIF", ".hif": "HEIF"}
_PICTURES |= dict.fromkeys((".ppm", ".pgm", ".pbm", ".pnm"), "PPM")

ASCII_FBX = """; FBX 7.4.0 project file
FBXHeaderExtension: { FBXVersion: 7400 }
Objects: {
  Geometry: 1, "Geometry::", "Mesh" {
    Vertices: *12 { a: 0,0,0, 1,0,0, 1,1,0, 0,1,0 }
    PolygonVertexIndex: *4 { a: 0,1,2,-4 }
    LayerElementMaterial: 0 {
      MappingInformationType: "AllSame"
      ReferenceInformationType: "IndexToDirect"
      Materials: *1 { a: 0 }
    }
  }
  Model: 2, "Model::Quad", "Mesh" {
    Properties70: { P: "Lcl Translation", "Lcl Translation", "", "A", 5,0,0 }
  }
  Material: 3, "Material::Paint", "" {
    ShadingModel: "phong"
    Properties70: { P: "DiffuseColor", "Color", "", "A", 1,0.5,0 }
  }
}
Connections: {
  C: "OO", 2, 0
  C: "OO", 1, 2
  C: "OO", 3, 2
}
"""


@pytest.fixture
def write() -> Write:
    """A function that writes a small valid file of the kind that the path's suffix names."""
    return write_valid


@pytest.fixture
def write_sound() -> Callable[..., Path]:
    return encode_sound


@pytest.fixture
def shared() -> Path:
    """The folder with the corpus and the published fixtures; the test is skipped without it."""
    checkout = Path(__file__).parents[2]
    folder = Path(os.environ.get("UNISEARCH_SHARED", checkout.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("no shared folder: set UNISEARCH_SHARED")
    return folder


def write_valid(path: Path) -> Path:
    suffix = path.suffix.lower()
    if suffix == ".pdf":
        path.write_bytes(pdf(SENTENCE))
    elif suffix in formats.TEXTS:
        path.write_text(_TEXTS.get(suffix, f"{SENTENCE}.\n"), encoding="utf-8")
    elif suffix in _PICTURES:
        picture = Image.fromarray(gradient(48, 64))
        kind = {".pgm": "L", ".pbm": "1"}.get(suffix, "RGB")
        picture.convert(kind).save(path, format=_PICTURES[suffix])
    elif suffix in _CODECS:
        encode_sound(path, tone(1.0, 48_000), 48_000)
    elif suffix in formats.VIDEOS:
        write_film(path, [Scene(1.0, pitch_hz=440.0)])
    elif suffix in formats.CLOUDS:
        _write_cloud(path)
    elif suffix == ".fbx":
        path.write_text(ASCII_FBX, encoding="ascii")
    elif suffix in formats.USD:
        _write_usd(path)
    else:
        _write_model(path)
    return path


def gradient(height: int, width: int) -> NDArray[np.uint8]:
    rows, columns = np.mgrid[0:height, 0:width]
    red, green = rows * 255 // height, columns * 255 // width
    return np.stack([red, green, np.full_like(red, 90)], axis=2).astype(np.uint8)


def tone(seconds: float, rate_hz: int, pitch_hz: float = 440.0) -> NDArray[np.float32]:
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    return (0.5 * np.sin(2 * np.pi * pitch_hz * times)).astype(np.float32)


def encode_sound(
    path: Path, samples: NDArray[np.float32], rate_hz: int, tags: dict[str, str] | None = None
) -> Path:
    """samples: (n,) mono or (channels, n), in [-1, 1]; encoded as the suffix says."""
    container_format, codec = _CODECS[path.suffix.lower()]
    channels = np.atleast_2d(samples)
    with path.open("wb") as file, av.open(file, "w", format=container_format) as container:
        container.metadata.update(tags or {})
        layout = {1: "mono", 2: "stereo"}[len(channels)]
        stream = container.add_stream(codec, rate=rate_hz, layout=layout)
        stream.bit_rate = 64_000
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(channels), "fltp", layout)
        frame.rate = rate_hz
        for packet in stream.encode(frame):
            container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return path


def pdf(text: str) -> bytes:
    """A PDF of one page that shows the text."""
    shown = b"BT /F1 18 Tf 20 100 Td (" + text.encode("ascii") + b") Tj ET" if text else b""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 500 200] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(shown), shown),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"xref\n0 6\n0000000000 65535 f \n%strailer\n<< /Size 6 /Root 1 0 R >>\n" % table
    return body + end + b"startxref\n%d\n%%%%EOF\n" % len(body)


def _write_model(path: Path) -> None:
    box = trimesh.creation.box((1.0, 2.0, 3.0))
    if path.suffix == ".gltf":
        for name, content in trimesh.Scene(box).export(file_type="gltf").items():
            (path if name.endswith(".gltf") else path.with_name(name)).write_bytes(content)
        return
    content = box.export(file_type=path.suffix[1:])
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def _write_usd(path: Path) -> None:
    from pxr import Usd, UsdGeom

    plain = path.with_suffix(".usdc") if path.suffix.lower() == ".usdz" else path
    stage = Usd.Stage.CreateNew(str(plain))
    box = trimesh.creation.box((1.0, 2.0, 3.0))
    mesh = UsdGeom.Mesh.Define(stage, "/Box")
    mesh.CreatePointsAttr(box.vertices)
    mesh.CreateFaceVertexCountsAttr([3] * len(box.faces))
    mesh.CreateFaceVertexIndicesAttr(box.faces.reshape(-1))
    stage.Save()
    if plain != path:
        zip_usd(path, plain)


def zip_usd(path: Path, *layers: Path) -> Path:
    """A .usdz of the layers, the first of which is the model."""
    from pxr import Sdf

    with Sdf.ZipFileWriter.CreateNew(str(path)) as package:
        for layer in layers:
            package.AddFile(str(layer), layer.name)
    return path


def _write_cloud(path: Path) -> None:
    points = np.random.default_rng(0).random((50, 3), dtype=np.float32)
    if path.suffix == ".npy":
        np.save(path, points)
    elif path.suffix == ".npz":
        np.savez(path, xyz=points, rgb=points)
    elif path.suffix == ".xyz":
        np.savetxt(path, points)
    else:
        rows = "\n".join(" ".join(map(str, row)) for row in points)
        fields = "FIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\nWIDTH 50\nHEIGHT 1\nPOINTS 50"
        path.write_text(f"# .PCD v0.7\nVERSION 0.7\n{fields}\nDATA ascii\n{rows}\n")


def zip_of(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path
