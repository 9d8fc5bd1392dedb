"""What files say of themselves: words to find, labels and dates to filter by."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from tests.media.conftest import gradient, pdf, tone
from unisearch.media.model_names import told
from unisearch.media.read import read
from unisearch.media.tags import MOST_OF_ALL, MOST_OF_ONE, clean, words_of
from unisearch.records import ImageSample, Reading

Encode = Callable[..., Path]

XMP = """<?xpacket begin=''?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><rdf:Description>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Zwei Boote</rdf:li></rdf:Alt></dc:title>
<dc:subject><rdf:Bag><rdf:li>harbour</rdf:li><rdf:li>früh</rdf:li></rdf:Bag></dc:subject>
<dc:creator><rdf:Seq><rdf:li>Ada</rdf:li></rdf:Seq></dc:creator>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>""".encode()


def picture() -> Image.Image:
    return Image.fromarray(gradient(32, 48))


def pixels(reading: Reading) -> Any:
    [part] = reading.parts
    assert isinstance(part.sample, ImageSample)
    return part.sample.pixels


def camera_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "Canon\0", "Canon EOS 5D"
    exif[ExifTags.Base.Artist] = "Ada"
    exif[ExifTags.Base.XPKeywords] = "sea;night\0".encode("utf-16-le")
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    inner[ExifTags.Base.DateTimeOriginal] = "2024:05:31 18:30:05"
    inner[ExifTags.Base.UserComment] = b"ASCII\0\0\0Low tide"
    return exif


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".avif", ".heic"])
def test_a_camera_tells_its_name_the_time_and_more(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    kind = {".heic": "HEIF", ".tif": "TIFF", ".jpg": "JPEG"}.get(suffix, suffix[1:].upper())
    picture().save(path, kind, exif=camera_exif().tobytes())

    reading = read(path)

    taken = datetime(2024, 5, 31, 18, 30, 5, tzinfo=UTC).timestamp()
    assert reading.facts["taken_s"] == taken
    assert reading.labels == {
        "camera": ("Canon EOS 5D",),
        "artist": ("Ada",),
        "keyword": ("sea", "night"),
    }
    # Not the camera: every picture of a phone would fit the name of its maker.
    assert reading.words == "Low tide sea night Ada"


@pytest.mark.parametrize(
    ("maker", "model", "shown"),
    [("NIKON CORPORATION", "NIKON D90", "NIKON D90"), ("Apple", "iPhone 12", "Apple iPhone 12"),
     ("", "X100", "X100"), ("Leica", "", "Leica")],
)  # fmt: skip
def test_a_camera_has_its_makers_name_once(
    tmp_path: Path, maker: str, model: str, shown: str
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = maker, model
    picture().save(tmp_path / "a.jpg", exif=exif)

    assert read(tmp_path / "a.jpg").labels == {"camera": (shown,)}


@pytest.mark.parametrize(
    "date", ["0000:00:00 00:00:00", "    :  :     :  :  ", "2024-05-31", "", "\0"]
)
def test_a_camera_whose_clock_was_not_set_gives_no_date(tmp_path: Path, date: str) -> None:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = date
    picture().save(tmp_path / "a.jpg", exif=exif)

    assert "taken_s" not in read(tmp_path / "a.jpg").facts


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".tif"])
def test_titles_keywords_and_authors_of_xmp_are_found(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix == ".tif":
        picture().save(path, tiffinfo={700: XMP})
    else:
        picture().save(path, xmp=XMP)

    reading = read(path)

    assert reading.words == "Zwei Boote harbour früh Ada"
    assert reading.labels["keyword"] == ("harbour", "früh")


def iptc_segment(*records: tuple[int, int, bytes]) -> bytes:
    """An APP13 segment as Photoshop writes it."""
    data = b"".join(struct.pack(">BBBH", 0x1C, *one[:2], len(one[2])) + one[2] for one in records)
    data += b"\0" * (len(data) % 2)
    block = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(data)) + data
    body = b"Photoshop 3.0\0" + block
    return b"\xff\xed" + struct.pack(">H", len(body) + 2) + body


@pytest.mark.parametrize(
    ("coding", "mark"), [("utf-8", (1, 90, b"\x1b%G")), ("latin-1", (2, 0, b"\0\2"))]
)
def test_iptc_is_read_in_its_own_coding(
    tmp_path: Path, coding: str, mark: tuple[int, int, bytes]
) -> None:
    picture().save(tmp_path / "a.jpg")
    data = (tmp_path / "a.jpg").read_bytes()
    words = (
        mark,
        (2, 5, "Möwe".encode(coding)),
        (2, 25, b"gull"),
        (2, 25, b"sky"),
        (2, 80, b"Ada"),
    )
    (tmp_path / "a.jpg").write_bytes(data[:2] + iptc_segment(*words) + data[2:])

    reading = read(tmp_path / "a.jpg")

    assert reading.words == "Möwe gull sky Ada"
    assert reading.labels == {"title": ("Möwe",), "keyword": ("gull", "sky"), "artist": ("Ada",)}


def test_texts_of_png_are_found_also_behind_the_pixels(tmp_path: Path) -> None:
    info = PngInfo()
    info.add_text("Title", "Harbour")
    picture().save(tmp_path / "a.png", pnginfo=info)
    data, chunk = (tmp_path / "a.png").read_bytes(), b"tEXtDescription\0early"
    late = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    (tmp_path / "a.png").write_bytes(data[:-12] + late + data[-12:])

    assert read(tmp_path / "a.png").words == "Harbour early"


@pytest.mark.parametrize(
    "broken",
    [{"exif": b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 40}, {"xmp": XMP[:200]},
     {"xmp": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'}],
    ids=["exif", "xmp cut off", "xmp with an entity"],
)  # fmt: skip
def test_damaged_tags_cost_nothing_but_themselves(tmp_path: Path, broken: dict[str, bytes]) -> None:
    picture().save(tmp_path / "plain.jpg")
    picture().save(tmp_path / "a.jpg", **broken)

    reading = read(tmp_path / "a.jpg")

    assert (reading.words, reading.labels) == ("", {})
    np.testing.assert_array_equal(pixels(reading), pixels(read(tmp_path / "plain.jpg")))


def test_a_picture_has_the_same_pixels_with_tags_and_without(tmp_path: Path) -> None:
    picture().save(tmp_path / "plain.jpg")
    picture().save(tmp_path / "a.jpg", exif=camera_exif(), xmp=XMP)

    tagged, plain = read(tmp_path / "a.jpg"), read(tmp_path / "plain.jpg")

    assert tagged.words
    np.testing.assert_array_equal(pixels(tagged), pixels(plain))


@pytest.mark.parametrize("suffix", [".flac", ".mp3", ".m4a", ".ogg"])
def test_a_sound_tells_who_made_it(tmp_path: Path, write_sound: Encode, suffix: str) -> None:
    tags = {"title": "Dawn", "artist": "Ada", "album": "Birds", "genre": "Field", "composer": "Bob"}
    path = write_sound(tmp_path / f"a{suffix}", tone(1, 48_000), 48_000, tags)

    reading = read(path)

    assert reading.labels == {
        "title": ("Dawn",), "artist": ("Ada", "Bob"), "album": ("Birds",), "genre": ("Field",)
    }  # fmt: skip
    assert reading.words == "Dawn Ada Bob Birds Field"


def test_a_gltf_tells_its_title_its_author_and_its_materials(tmp_path: Path) -> None:
    box = trimesh.creation.box()
    box.visual = trimesh.visual.TextureVisuals(
        uv=np.zeros((8, 2)), material=trimesh.visual.material.PBRMaterial(name="Old Oak")
    )
    scene = trimesh.Scene()
    scene.add_geometry(box, node_name="seat", geom_name="board")
    files = scene.export(file_type="gltf")
    header = json.loads(files["model.gltf"])
    header["asset"]["extras"] = {"title": "Milking Stool\n", "author": "Ada", "license": "CC-BY"}
    files["model.gltf"] = json.dumps(header).encode()
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)

    reading = read(tmp_path / "model.gltf")

    assert {"seat", "board", "Milking", "Stool", "Old", "Oak"} <= set(reading.words.split())
    assert reading.labels == {"title": ("Milking Stool",), "artist": ("Ada",)}


def test_an_obj_tells_its_groups_and_materials(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_bytes(
        b"o Barn\r\nv 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\ng  roof tiles \nusemtl red_clay\nf 1 2 3\n"
        b"g default\nusemtl Material.001\nf 1 2 4\nusemtl red_clay\nf 1 3 4\n# o not this\n"
    )

    words = read(tmp_path / "a.obj").words

    assert words == "Barn roof tiles red_clay"


def test_an_fbx_tells_its_materials(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    assert read(write(tmp_path / "a.fbx")).words == "Quad Paint"


@pytest.mark.parametrize(
    "name", ["Material", "material_0", "Material.001", "lambert1SG", "blinn12", "None",
             "initialShadingGroup", "default", "default_mat", "12", "Group 3"]
)  # fmt: skip
def test_names_that_nobody_chose_are_no_words(name: str) -> None:
    assert told([name, "Matt Glass", "Grouper"]) == ["Matt Glass", "Grouper"]


def test_a_pdf_tells_title_author_and_keywords(tmp_path: Path) -> None:
    data = pdf("A red fox jumps")
    at = data.rindex(b"trailer")
    number = data.count(b" 0 obj") + 1
    info = b"<< /Title (On Foxes) /Author (Ada) /Keywords (foxes, jumping) >>"
    data = data[:at] + b"%d 0 obj\n%s\nendobj\n" % (number, info) + data[at:]
    data = data.replace(b"trailer\n<<", b"trailer\n<< /Info %d 0 R" % number).replace(
        b"trailer <<", b"trailer << /Info %d 0 R" % number
    )
    (tmp_path / "a.pdf").write_bytes(data)

    reading = read(tmp_path / "a.pdf")

    assert reading.labels == {
        "title": ("On Foxes",),
        "artist": ("Ada",),
        "keyword": ("foxes", "jumping"),
    }
    assert "On Foxes" in reading.words
    assert [part.text for part in reading.parts] == ["A red fox jumps"]


def test_values_are_cleaned_and_bounded() -> None:
    assert clean(" a\x1b[31m\n\0b\u2028c\ud800 ") == "a [31m b c"
    assert clean(b"bytes") == clean(None) == ""
    assert clean("word " * 1_000) == " ".join(["word"] * (MOST_OF_ONE // 5))
    assert len(clean("x" * 10_000)) == MOST_OF_ONE
    assert len(words_of(f"value {number}" for number in range(10_000))) <= MOST_OF_ALL
