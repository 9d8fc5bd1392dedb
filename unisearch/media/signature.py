"""What a file is by its first bytes, so that a failure can say what lies under a wrong name."""

from __future__ import annotations

from dataclasses import dataclass

PICTURE = "picture"
SOUND = "sound"
MODEL = "3D model"
DOCUMENT = "text"
VIDEO = "video"
OTHER = "other file"

ZIP = "a zip archive"


@dataclass(frozen=True)
class Signature:
    """name: for people ('a PNG picture'); kind: a constant above; suffix: '' if not read."""

    name: str
    kind: str
    suffix: str


_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")

# (offset, bytes, name, kind, suffix), from the published format descriptions.
_MAGIC: tuple[tuple[int, bytes, str, str, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "a PNG picture", PICTURE, ".png"),
    (0, b"\xff\xd8\xff", "a JPEG picture", PICTURE, ".jpg"),
    (0, b"GIF8", "a GIF picture", PICTURE, ".gif"),
    (0, b"II*\0", "a TIFF picture", PICTURE, ".tif"),
    (0, b"MM\0*", "a TIFF picture", PICTURE, ".tif"),
    (8, b"WEBP", "a WebP picture", PICTURE, ".webp"),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 picture", PICTURE, ".jp2"),
    *((4, b"ftyp" + brand, "a HEIC picture", PICTURE, ".heic") for brand in _HEIC),
    (4, b"ftypavif", "an AVIF picture", PICTURE, ".avif"),
    (4, b"ftypavis", "an AVIF picture", PICTURE, ".avif"),
    (8, b"WAVE", "a WAV sound", SOUND, ".wav"),
    (0, b"fLaC", "a FLAC sound", SOUND, ".flac"),
    (0, b"OggS", "an Ogg sound", SOUND, ".ogg"),
    (0, b"ID3", "an MP3 sound", SOUND, ".mp3"),
    (8, b"AIFF", "an AIFF sound", SOUND, ".aiff"),
    (4, b"ftypM4A", "an M4A sound", SOUND, ".m4a"),
    (4, b"ftyp", "an MP4 video", VIDEO, ".mp4"),
    (0, b"\x1aE\xdf\xa3", "a Matroska or WebM video", VIDEO, ".mkv"),
    (8, b"AVI ", "an AVI video", VIDEO, ".avi"),
    (0, b"FLV\x01", "a Flash video", VIDEO, ".flv"),
    (0, b"\0\0\x01\xba", "an MPEG video", VIDEO, ".mpg"),
    (0, b"glTF", "a GLB model", MODEL, ".glb"),
    (0, b"ply\n", "a PLY model", MODEL, ".ply"),
    (0, b"ply\r", "a PLY model", MODEL, ".ply"),
    (0, b"Kaydara FBX Binary", "an FBX model", MODEL, ".fbx"),
    (0, b"#usda ", "a USD model", MODEL, ".usda"),
    (0, b"PXR-USDC", "a USD model", MODEL, ".usdc"),
    (0, b"# .PCD", "a PCD cloud", MODEL, ".pcd"),
    (0, b"\x93NUMPY", "a numpy array", MODEL, ".npy"),
    (0, b"%PDF-", "a PDF document", DOCUMENT, ".pdf"),
    (0, b"\x7fELF", "a program", OTHER, ""),
    (0, b"MZ", "a Windows program", OTHER, ""),
    (0, b"PK\x03\x04", ZIP, OTHER, ""),
    (0, b"\x1f\x8b", "a gzip archive", OTHER, ""),
    (0, b"7z\xbc\xaf", "a 7-Zip archive", OTHER, ""),
    (0, b"SQLite format 3\0", "an SQLite database", OTHER, ""),
    (0, b"<!DOCTYPE html", "an HTML page", DOCUMENT, ".html"),
    (0, b"<html", "an HTML page", DOCUMENT, ".html"),
)


def looks_like(head: bytes) -> Signature | None:
    """What the first bytes of a file announce, or None when they announce nothing we know."""
    for offset, magic, name, kind, suffix in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return Signature(name, kind, suffix)
    return None
