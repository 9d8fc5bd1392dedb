"""Clouds of points, and the published pickled ones."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from unisearch.errors import UnisearchError, Unreadable
from unisearch.media.mesh import load_mesh
from unisearch.media.pointcloud import convert
from unisearch.media.read import read
from unisearch.records import PointSample, ReadOptions

POINTS = np.random.default_rng(5).random((30, 3), dtype=np.float32)
BYTES = (POINTS * 255).astype(np.uint8)
UNIT = np.tile(np.array([0, 0.6, 0.8], dtype=np.float32), (30, 1))


class Trap:
    """Unpickled the ordinary way it would make the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


def cloud(path: Path) -> PointSample:
    sample = load_mesh(path)
    assert isinstance(sample, PointSample)
    return sample


def published(path: Path, **content: object) -> Path:
    holder = np.empty((), dtype=object)
    holder[()] = {"xyz": POINTS.astype("f2"), "rgb": POINTS.astype("f2")} | content
    np.save(path, holder, allow_pickle=True)
    return path


def test_columns_beyond_three_are_normals_or_colours_by_their_values(tmp_path: Path) -> None:
    np.save(tmp_path / "normals.npy", np.hstack([POINTS, UNIT]))
    np.save(tmp_path / "colors.npy", np.hstack([POINTS, BYTES]))

    normals, colors = cloud(tmp_path / "normals.npy"), cloud(tmp_path / "colors.npy")

    np.testing.assert_allclose(normals.normals, UNIT, atol=1e-6)
    assert normals.colors is None
    np.testing.assert_allclose(colors.colors, BYTES / 255, atol=1e-6)
    assert colors.normals is None


def test_an_npz_keeps_points_colours_and_normals_by_name(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", points=POINTS, rgb=BYTES, normals=UNIT)

    sample = cloud(tmp_path / "a.npz")

    np.testing.assert_allclose(sample.points, POINTS)
    np.testing.assert_allclose(sample.colors, BYTES / 255, atol=1e-6)
    np.testing.assert_allclose(sample.normals, UNIT, atol=1e-6)


def pcd(path: Path, kind: str, body: bytes) -> Path:
    header = "VERSION .7\nFIELDS x y z rgb\nSIZE 4 4 4 4\nTYPE F F F U\nCOUNT 1 1 1 1\n"
    header += f"WIDTH 30\nHEIGHT 1\nPOINTS 30\nDATA {kind}\n"
    path.write_bytes(header.encode() + body)
    return path


def lzf_literals(data: bytes) -> bytes:
    """Data in LZF form without references: runs of at most 32 bytes, each after its length."""
    runs = (data[start : start + 32] for start in range(0, len(data), 32))
    return b"".join(bytes([len(run) - 1]) + run for run in runs)


def test_the_three_kinds_of_pcd_hold_the_same(tmp_path: Path) -> None:
    packed = (BYTES.astype(np.uint32) << np.array([16, 8, 0], dtype=np.uint32)).sum(axis=1)
    packed = packed.astype(np.uint32)
    rows = np.rec.fromarrays([*POINTS.T, packed], dtype="<f4,<f4,<f4,<u4")
    columns = POINTS.T.astype("<f4").tobytes() + packed.astype("<u4").tobytes()
    squeezed = lzf_literals(columns)
    sizes = len(squeezed).to_bytes(4, "little") + len(columns).to_bytes(4, "little")
    text = "\n".join(f"{x!r} {y!r} {z!r} {c}" for x, y, z, c in rows.tolist())

    samples = [
        cloud(pcd(tmp_path / "a.pcd", "ascii", text.encode())),
        cloud(pcd(tmp_path / "b.pcd", "binary", rows.tobytes())),
        cloud(pcd(tmp_path / "c.pcd", "binary_compressed", sizes + squeezed)),
    ]

    for sample in samples:
        np.testing.assert_allclose(sample.points, POINTS, atol=1e-6)
        np.testing.assert_allclose(sample.colors, BYTES / 255, atol=1e-6)


def test_references_in_compressed_data_are_followed() -> None:
    from unisearch.media.pcd import _lzf

    # 'ab' as literals, then eight bytes from two back (length 7 means: more follows).
    assert _lzf(b"\x01ab" + bytes([7 << 5, 0 + 0, 1]) + b"", 11) == b"ab" + b"ab" * 4 + b"a"


def test_a_large_cloud_is_thinned_the_same_way_each_time(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", POINTS)

    [first] = read(tmp_path / "a.npy", ReadOptions(points=10)).parts
    [second] = read(tmp_path / "a.npy", ReadOptions(points=10)).parts

    assert isinstance(first.sample, PointSample)
    assert isinstance(second.sample, PointSample)
    assert first.sample.points.shape == (10, 3)
    np.testing.assert_array_equal(first.sample.points, second.sample.points)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_points_that_are_no_numbers_are_refused(value: float, tmp_path: Path) -> None:
    points = POINTS.copy()
    points[3, 1] = value
    np.save(tmp_path / "a.npy", points)

    with pytest.raises(Unreadable, match="finite"):
        load_mesh(tmp_path / "a.npy")


def test_a_pickled_array_is_refused_names_the_converter_and_runs_nothing(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    np.save(tmp_path / "array.npy", np.array([Trap(marker)], dtype=object), allow_pickle=True)
    (tmp_path / "bare.npy").write_bytes(pickle.dumps(Trap(marker)))
    np.savez(tmp_path / "zipped.npz", xyz=np.array([Trap(marker)], dtype=object))

    for name in ("array.npy", "bare.npy", "zipped.npz"):
        with pytest.raises(Unreadable, match=r"unisearch import-pointcloud FILE\.npy") as caught:
            read(tmp_path / name)
        assert caught.value.kind == "unsupported"

    assert not marker.exists()


def test_a_published_cloud_becomes_a_ply_with_its_colours(tmp_path: Path) -> None:
    source = published(tmp_path / "a.npy", text=["a toilet"], text_feat=[{"n": POINTS}], group="x")

    count = convert(source, tmp_path / "a.ply")

    sample = cloud(tmp_path / "a.ply")
    assert count == 30
    np.testing.assert_array_equal(sample.points, POINTS.astype("f2").astype("f4"))
    np.testing.assert_allclose(sample.colors, POINTS, atol=0.003)


@pytest.mark.parametrize("name", ["toilet", "BBQ", "train"])
def test_the_published_fixtures_convert(name: str, shared: Path, tmp_path: Path) -> None:
    source = shared / f"media/{name}.npy"
    trusted = np.load(source, allow_pickle=True).item()

    assert convert(source, tmp_path / "a.ply") == 10_000

    sample = cloud(tmp_path / "a.ply")
    np.testing.assert_array_equal(sample.points, trusted["xyz"].astype("f4"))
    np.testing.assert_allclose(sample.colors, trusted["rgb"].astype("f4"), atol=0.003)


def test_code_beside_the_points_is_refused_and_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    source = published(tmp_path / "a.npy", thumbnail=Trap(marker))

    with pytest.raises(Unreadable, match=r"asks for posix\.mkdir: refused"):
        convert(source, tmp_path / "a.ply")

    assert not marker.exists()
    assert not (tmp_path / "a.ply").exists()


GLOBAL_DTYPE = b"cnumpy\ndtype\n"
ATTACKS = {
    "calls a string": b"Vtext\n(tR.",
    "builds a class of ours": GLOBAL_DTYPE + b"(Vf4\ntR" + GLOBAL_DTYPE + b"}b.",
    "changes a class": GLOBAL_DTYPE + b"(N}Vkind\nVx\nstb.",
    "makes an instance": b"(i__builtin__\neval\n.",
    "makes an object": GLOBAL_DTYPE + b")\x81.",
    "asks for an extension": b"\x82\x01.",
    "a type with fields": GLOBAL_DTYPE + b"(Vf4\ntR(I3\nV<\nN(Va\nt}I-1\nI-1\nI0\ntb.",
    "an unknown type": GLOBAL_DTYPE + b"(VV999999\ntR.",
    "a persistent object": b"Pname\n.",
    "imports the system": b"cposix\nsystem\n(Vtouch ran\ntR.",
}


@pytest.mark.parametrize("program", ATTACKS.values(), ids=ATTACKS.keys())
def test_a_pickle_can_do_nothing_else(program: bytes, tmp_path: Path) -> None:
    holder = published(tmp_path / "form.npy").read_bytes()
    source = tmp_path / "a.npy"
    source.write_bytes(holder[: holder.index(b"\x80")] + b"\x80\x02" + program)

    with pytest.raises(Unreadable):
        convert(source, tmp_path / "a.ply")

    assert not (tmp_path / "a.ply").exists()


def test_an_array_whose_bytes_do_not_fit_its_shape_is_refused(tmp_path: Path) -> None:
    content = published(tmp_path / "form.npy").read_bytes()
    source = tmp_path / "a.npy"
    source.write_bytes(content.replace(b"K\x1eK\x03\x86", b"K\x28K\x03\x86"))  # 30 rows become 40

    assert source.read_bytes() != content
    with pytest.raises(Unreadable, match="xyz"):
        convert(source, tmp_path / "a.ply")


@pytest.mark.parametrize(
    "content",
    [{"xyz": POINTS[:, :2]}, {"rgb": None}, {"rgb": POINTS * 300}, {"xyz": "no points"}],
    ids=["two columns", "no colours", "colours out of range", "text for points"],
)
def test_anything_but_the_published_form_is_refused(
    content: dict[str, object], tmp_path: Path
) -> None:
    source = published(tmp_path / "a.npy", **content)

    with pytest.raises(Unreadable):
        convert(source, tmp_path / "a.ply")


def test_a_plain_array_needs_no_conversion_and_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", POINTS)

    with pytest.raises(Unreadable, match="no pickled dictionary"):
        convert(tmp_path / "a.npy", tmp_path / "a.ply")


def test_an_existing_target_is_not_overwritten(tmp_path: Path) -> None:
    source, target = published(tmp_path / "a.npy"), tmp_path / "a.ply"
    target.write_text("mine")

    with pytest.raises(UnisearchError, match="exists already"):
        convert(source, target)

    assert target.read_text() == "mine"


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_a_published_cloud_that_ends_early_is_damaged_in_our_words(
    kept: float, tmp_path: Path
) -> None:
    path = published(tmp_path / "a.npy")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])

    with pytest.raises(Unreadable) as caught:
        convert(path, tmp_path / "a.ply")

    assert caught.value.reason == "its pickle is damaged or ends early"


def test_what_a_pickle_asks_for_is_shown_without_effect_on_the_terminal(tmp_path: Path) -> None:
    path = published(tmp_path / "a.npy")
    head = path.read_bytes().split(b"\n", 1)[0] + b"\n"
    path.write_bytes(head + b"cos\n\x1b[31msystem\n.")

    with pytest.raises(Unreadable, match=r"asks for os\.\\x1b\[31msystem: refused") as caught:
        convert(path, tmp_path / "a.ply")

    assert "\x1b" not in str(caught.value)
