"""Which suffix belongs to which reader. Imports nothing, so that asking costs nothing."""

from __future__ import annotations

TEXTS = (
    ".txt",
    ".text",
    ".md",
    ".markdown",
    ".rst",
    ".html",
    ".htm",
    ".xhtml",
    ".json",
    ".jsonl",
    ".ndjson",
    ".srt",
    ".vtt",
    ".csv",
    ".tsv",
    ".pdf",
)
PICTURES = (
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".png",
    ".apng",
    ".gif",
    ".bmp",
    ".dib",
    ".tif",
    ".tiff",
    ".webp",
    ".avif",
    ".heic",
    ".heif",
    ".hif",
    ".jp2",
    ".ppm",
    ".pgm",
    ".pbm",
    ".pnm",
)
SOUNDS = (
    ".wav",
    ".flac",
    ".mp3",
    ".ogg",
    ".oga",
    ".opus",
    ".m4a",
    ".m4b",
    ".aac",
    ".aiff",
    ".aif",
    ".wma",
    ".mka",
    ".weba",
    ".caf",
    ".au",
)
VIDEOS = (
    ".mp4",
    ".m4v",
    ".mov",
    ".mkv",
    ".webm",
    ".avi",
    ".mpg",
    ".mpeg",
    ".ts",
    ".m2ts",
    ".wmv",
    ".flv",
    ".ogv",
    ".3gp",
)
#: How a packet of an MPEG transport stream begins, and how long it is (ISO/IEC 13818-1, 2.4.3).
_SYNC, _PACKET = 0x47, 188
HEAD_BYTES = 2 * _PACKET


def is_transport_stream(head: bytes) -> bool:
    """Whether a file that begins like that is a video; TypeScript has the same suffix."""
    return len(head) > _PACKET and head[0] == head[_PACKET] == _SYNC


#: Suffixes that most files with them do not have for our reader, and how its files are told.
SHARED = {".ts": is_transport_stream}

#: 3D files that trimesh reads, those that ufbx and usd-core read, and clouds of points.
SCENES = (".obj", ".ply", ".stl", ".off", ".glb", ".gltf", ".3mf", ".dae")
FBX = (".fbx",)
USD = (".usd", ".usda", ".usdc", ".usdz")
CLOUDS = (".npy", ".npz", ".xyz", ".pcd")
MODELS = SCENES + FBX + USD + CLOUDS

#: Files of ours that begin as every zip archive does, sounds that begin as videos do, and videos
#: that begin as sounds do.
ZIPPED = (".3mf", ".usdz", ".npz")
FILMED = (".m4a", ".m4b", ".mka", ".weba")
HEARD = (".ogv",)

#: Suffixes under which the same bytes are read in the same way: either the content alone decides,
#: or they are spellings of one format. Every other suffix is alone.
ALIKE = (
    PICTURES,
    SOUNDS,
    VIDEOS,
    (".txt", ".text", ".rst"),
    (".md", ".markdown"),
    (".html", ".htm", ".xhtml"),
    (".jsonl", ".ndjson"),
    (".srt", ".vtt"),
    (".csv", ".tsv"),
)
_READ_AS = {suffix: group[0] for group in ALIKE for suffix in group}


def read_as(suffix: str) -> str:
    """One suffix for all that are read alike: same bytes and same answer give same samples."""
    lower = suffix.lower()
    return _READ_AS.get(lower, lower)
