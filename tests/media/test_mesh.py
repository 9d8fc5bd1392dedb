"""3D files: places, colours, refusals."""

from __future__ import annotations

import gc
import io
import json
import math
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image
from trimesh.visual.material import PBRMaterial
from trimesh.visual.texture import TextureVisuals

from unisearch.errors import Unreadable
from unisearch.media import colors
from unisearch.media.mesh import load_mesh, load_model, sample_points
from unisearch.media.read import read
from unisearch.records import PointSample, ReadOptions, TriangleMesh

Write = Callable[[Path], Path]

TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0.1 0.1\nvt 0.2 0.1\nvt 0.1 0.2\n"


def surface(path: Path, options: ReadOptions = ReadOptions()) -> TriangleMesh:  # noqa: B008
    mesh = load_mesh(path, options)
    assert isinstance(mesh, TriangleMesh)
    return mesh


def face_colors(mesh: TriangleMesh) -> np.ndarray:
    assert mesh.face_colors is not None
    assert mesh.face_colors.shape == mesh.faces.shape
    return mesh.face_colors


def half_and_half() -> Image.Image:
    """Red on the left, blue on the right."""
    pixels = np.zeros((8, 8, 3), dtype=np.uint8)
    pixels[:, :4, 0], pixels[:, 4:, 2] = 255, 255
    return Image.fromarray(pixels)


def glb(path: Path, mesh: trimesh.Trimesh) -> Path:
    path.write_bytes(trimesh.Scene(mesh).export(file_type="glb"))
    return path


def refused(path: Path, options: ReadOptions = ReadOptions()) -> Unreadable:  # noqa: B008
    with pytest.raises(Unreadable) as caught:
        load_mesh(path, options)
    return caught.value


def test_an_obj_takes_the_colours_of_its_materials(tmp_path: Path) -> None:
    (tmp_path / "a.mtl").write_text("newmtl warm\nKd 1 0.5 0\nnewmtl cold\nKd 0 0 1\n")
    path = tmp_path / "a.obj"
    path.write_text("mtllib a.mtl\n" + TRIANGLE + "usemtl warm\nf 1 2 3\nusemtl cold\nf 3 2 1\n")

    rgb = face_colors(surface(path))

    found = {tuple(np.round(row, 2).tolist()) for row in rgb}
    assert found == {(1.0, 0.5, 0.0), (0.0, 0.0, 1.0)}


def test_an_obj_takes_the_texture_under_the_middle_of_each_face(tmp_path: Path) -> None:
    half_and_half().save(tmp_path / "paint.png")
    (tmp_path / "a.mtl").write_text("newmtl paint\nKd 0 0 0\nmap_Kd paint.png\n")
    right = "vt 0.8 0.1\nvt 0.9 0.1\nvt 0.8 0.2\n"
    faces = "usemtl paint\nf 1/1 2/2 3/3\nf 3/4 2/5 1/6\n"
    path = tmp_path / "a.obj"
    path.write_text("mtllib a.mtl\n" + TRIANGLE + right + faces)

    rgb = face_colors(surface(path))

    np.testing.assert_allclose(rgb, [[1, 0, 0], [0, 0, 1]], atol=0.01)


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n"


def _obj_with(folder: Path, texture: bytes) -> Path:
    (folder / "t.png").write_bytes(texture)
    (folder / "a.mtl").write_text("newmtl paint\nKd 1 0 0\nmap_Kd t.png\n")
    path = folder / "a.obj"
    path.write_text("mtllib a.mtl\n" + TRIANGLE + "usemtl paint\nf 1/1 2/2 3/3\n")
    return path


def _gltf_with(folder: Path, texture: bytes, material: dict[str, object]) -> Path:
    """A box whose first and only picture is the texture."""
    box = trimesh.creation.box()
    box.visual = TextureVisuals(uv=np.zeros((8, 2)), material=PBRMaterial(doubleSided=True))
    for name, content in trimesh.Scene(box).export(file_type="gltf").items():
        (folder / name).write_bytes(content)
    path = folder / "model.gltf"
    header = json.loads(path.read_text())
    (folder / "t.png").write_bytes(texture)
    header |= {"images": [{"uri": "t.png"}], "textures": [{"source": 0}], "materials": [material]}
    path.write_text(json.dumps(header))
    return path


def _glossy(number: int = 0) -> dict[str, object]:
    textures = {key: {"index": number} for key in ("diffuseTexture", "specularGlossinessTexture")}
    return {"extensions": {"KHR_materials_pbrSpecularGlossiness": textures}}


@pytest.mark.parametrize("kind", ["obj", "gltf", "glossy gltf"])
def test_a_texture_never_starts_another_program(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import EpsImagePlugin

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *_, **__: started.append(1))
    started: list[int] = []
    if kind == "obj":
        path = _obj_with(tmp_path, POSTSCRIPT)
    elif kind == "gltf":
        plain = {"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}
        path = _gltf_with(tmp_path, POSTSCRIPT, plain)
    else:
        path = _gltf_with(tmp_path, POSTSCRIPT, _glossy())

    mesh = surface(path)

    assert not started
    assert len(mesh.faces) in (1, 12)


def test_a_texture_of_another_program_costs_the_texture_only(tmp_path: Path) -> None:
    rgb = face_colors(surface(_obj_with(tmp_path, POSTSCRIPT)))

    np.testing.assert_allclose(rgb, [[1, 0, 0]])


def test_pillow_opens_what_it_likes_for_everybody_else(tmp_path: Path) -> None:
    surface(_obj_with(tmp_path, POSTSCRIPT))

    with Image.open(io.BytesIO(POSTSCRIPT)) as opened:
        assert opened.format == "EPS"


def test_textures_of_games_are_read(tmp_path: Path) -> None:
    held = io.BytesIO()
    Image.new("RGB", (8, 8), (0, 255, 0)).save(held, format="TGA")

    rgb = face_colors(surface(_obj_with(tmp_path, held.getvalue())))

    np.testing.assert_allclose(rgb, [[0, 1, 0]])


def test_an_obj_without_materials_declares_no_colour(tmp_path: Path) -> None:
    path = tmp_path / "a.obj"
    path.write_text("mtllib missing.mtl\n" + TRIANGLE + "usemtl warm\nf 1/1 2/2 3/3\n")

    mesh = surface(path)

    assert mesh.face_colors is None
    assert sample_points(mesh, 10).colors is None


def test_a_part_without_colour_beside_one_with_is_neutral_grey(tmp_path: Path) -> None:
    (tmp_path / "a.mtl").write_text("newmtl warm\nKd 1 0 0\n")
    path = tmp_path / "a.obj"
    path.write_text("mtllib a.mtl\n" + TRIANGLE + "usemtl warm\nf 1 2 3\nusemtl other\nf 3 2 1\n")

    rgb = face_colors(surface(path))

    assert {tuple(row) for row in rgb.tolist()} == {(1.0, 0.0, 0.0), (0.5, 0.5, 0.5)}


def test_the_factor_of_a_gltf_material_is_linear_light(tmp_path: Path) -> None:
    box = trimesh.creation.box()
    box.visual = TextureVisuals(material=PBRMaterial(baseColorFactor=[0.2, 0.5, 1.0, 1.0]))

    rgb = face_colors(surface(glb(tmp_path / "a.glb", box)))

    np.testing.assert_allclose(rgb, np.tile([0.485, 0.735, 1.0], (12, 1)), atol=0.01)


def test_the_texture_of_a_glb_is_multiplied_with_its_factor(tmp_path: Path) -> None:
    corners = [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    mesh = trimesh.Trimesh(corners, [[0, 1, 2]], process=False)
    material = PBRMaterial(baseColorTexture=half_and_half(), baseColorFactor=[0.5, 1, 1, 1])
    mesh.visual = TextureVisuals(uv=[[0.1, 0.1], [0.2, 0.1], [0.1, 0.2]], material=material)

    rgb = face_colors(surface(glb(tmp_path / "a.glb", mesh)))

    np.testing.assert_allclose(rgb, [[0.735, 0, 0]], atol=0.01)


def test_a_texture_without_coordinates_gives_its_mean() -> None:
    from unisearch.media.scene import _texture_colors

    pixels = np.asarray(half_and_half(), dtype=np.float32) / 255

    rgb = _texture_colors(pixels, None, np.array([[0, 1, 2]]))

    assert rgb is not None
    np.testing.assert_allclose(rgb, [[0.5, 0, 0.5]], atol=0.01)


@pytest.mark.parametrize("kind", ["vertex", "face"])
def test_a_ply_takes_the_colours_of_vertices_and_faces(kind: str, tmp_path: Path) -> None:
    box = trimesh.creation.box()
    setattr(box.visual, f"{kind}_colors", [255, 128, 0, 255])
    path = tmp_path / "a.ply"
    path.write_bytes(box.export(file_type="ply"))

    mesh = surface(path)

    np.testing.assert_allclose(face_colors(mesh), np.tile([1, 0.5, 0], (12, 1)), atol=0.01)
    assert mesh.up is None


def test_a_ply_without_faces_is_a_cloud_with_normals_and_colours(tmp_path: Path) -> None:
    header = ["ply", "format ascii 1.0", "element vertex 2"]
    header += [f"property float {name}" for name in ("x", "y", "z", "nx", "ny", "nz")]
    header += [f"property uchar {name}" for name in ("red", "green", "blue")]
    rows = ["0 0 0 0 0 2 255 0 0", "1 2 3 0 1 0 0 255 0"]
    path = tmp_path / "a.ply"
    path.write_text("\n".join([*header, "end_header", *rows, ""]))

    cloud = load_mesh(path)

    assert isinstance(cloud, PointSample)
    np.testing.assert_allclose(cloud.points, [[0, 0, 0], [1, 2, 3]])
    np.testing.assert_allclose(cloud.normals, [[0, 0, 1], [0, 1, 0]])
    np.testing.assert_allclose(cloud.colors, [[1, 0, 0], [0, 1, 0]])


def test_every_node_of_a_scene_stands_in_its_place(tmp_path: Path) -> None:
    scene = trimesh.Scene()
    box = trimesh.creation.box()
    scene.add_geometry(box, node_name="left chair", geom_name="chair")
    moved = trimesh.transformations.translation_matrix([10, 0, 0])
    scene.graph.update(frame_to="right chair", matrix=moved, geometry="chair")
    path = tmp_path / "a.glb"
    path.write_bytes(scene.export(file_type="glb"))

    model = load_model(path)

    assert isinstance(model.shape, TriangleMesh)
    assert len(model.shape.faces) == 24
    np.testing.assert_allclose(model.shape.vertices.max(axis=0), [10.5, 0.5, 0.5], atol=1e-5)
    assert model.shape.up == "y"
    assert "left chair" in read(path).words


def test_an_fbx_keeps_polygons_places_and_diffuse_colours(tmp_path: Path, write: Write) -> None:
    path = write(tmp_path / "a.fbx")

    model = load_model(path)

    assert isinstance(model.shape, TriangleMesh)
    assert len(model.shape.faces) == 2  # one polygon of four corners
    np.testing.assert_allclose(np.ptp(model.shape.vertices, axis=0), [1, 1, 0], atol=1e-5)
    np.testing.assert_allclose(model.shape.vertices.min(axis=0), [5, 0, 0], atol=1e-5)
    np.testing.assert_allclose(face_colors(model.shape), [[1, 0.5, 0]] * 2, atol=1e-3)
    assert "Quad" in model.names


def test_one_fbx_after_another_is_read(tmp_path: Path, write: Write) -> None:
    path = write(tmp_path / "a.fbx")

    meshes = [surface(path) for _ in range(200)]  # a lost reference would end the process

    assert all(len(mesh.faces) == 2 for mesh in meshes)


def test_refused_fbx_files_leave_nothing_that_the_garbage_collector_stumbles_over(
    tmp_path: Path, write: Write
) -> None:
    path = write(tmp_path / "a.fbx")

    held = [refused(path, ReadOptions(max_triangles=1)) for _ in range(20)]
    gc.collect()

    assert all(error.kind == "too_large" for error in held)


def test_bones_give_no_words(shared: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(shared / "corpus/fbx.zip") as archive:
        path = Path(archive.extract("fbx/Pig.fbx", tmp_path))

    assert load_model(path).names == ("Pig",)


@pytest.mark.parametrize("name", ["a.glb", "a.gltf", "a.dae", "a.3mf", "a.stl", "a.off", "a.obj"])
def test_a_box_has_its_size_in_every_format(name: str, tmp_path: Path, write: Write) -> None:
    mesh = surface(write(tmp_path / name))

    np.testing.assert_allclose(np.ptp(mesh.vertices, axis=0), [1, 2, 3], atol=1e-4)
    assert len(mesh.faces) == 12
    assert mesh.up == {"a.glb": "y", "a.gltf": "y", "a.dae": "y", "a.3mf": "z"}.get(name)


def test_points_are_spread_by_area_and_carry_their_faces_colours() -> None:
    corners = np.array([[0, 0, 0], [3, 0, 0], [0, 3, 0], [0, 0, 5], [1, 0, 5], [0, 1, 5]], "f4")
    faces = np.array([[0, 1, 2], [3, 4, 5]], "i4")  # areas 4.5 and 0.5
    mesh = TriangleMesh(corners, faces, np.array([[1, 0, 0], [0, 0, 1]], "f4"))

    cloud = sample_points(mesh, 10_000, seed=3)

    assert cloud.colors is not None
    upper = cloud.points[:, 2] > 2.5
    assert upper.mean() == pytest.approx(0.1, abs=0.02)
    np.testing.assert_allclose(cloud.normals, np.tile([0, 0, 1], (10_000, 1)), atol=1e-5)
    np.testing.assert_array_equal(cloud.colors[upper], np.tile([0, 0, 1], (upper.sum(), 1)))
    assert (cloud.points[~upper].sum(axis=1) <= 3 + 1e-5).all()
    np.testing.assert_array_equal(cloud.points, sample_points(mesh, 10_000, seed=3).points)


def test_srgb_and_linear_light_are_each_others_inverse() -> None:
    ramp = np.linspace(0, 1, 50, dtype=np.float32)

    np.testing.assert_allclose(colors.to_srgb(colors.to_linear(ramp)), ramp, atol=1e-5)


def test_a_mesh_without_faces_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.obj"
    path.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\n")

    assert "no faces" in refused(path).reason


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_vertices_that_are_no_numbers_are_refused(value: str, tmp_path: Path) -> None:
    path = tmp_path / "a.off"
    path.write_text(f"OFF\n3 1 0\n0 0 0\n{value} 0 0\n0 1 0\n3 0 1 2\n")

    error = refused(path)

    assert error.kind == "corrupt"
    assert "finite" in error.reason


@pytest.mark.parametrize("suffix", [".off", ".xyz"])
@pytest.mark.parametrize("value", ["1e30", "-1e38", "1e300"])
def test_coordinates_that_nothing_can_be_computed_with_are_refused(
    value: str, suffix: str, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    path = tmp_path / f"a{suffix}"
    rows = f"0 0 0\n{value} 0 0\n0 1 0\n"
    path.write_text(f"OFF\n3 1 0\n{rows}3 0 1 2\n" if suffix == ".off" else rows)

    assert "a coordinate is " in refused(path).reason
    assert not recwarn.list


def test_a_model_without_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.off"
    path.write_text("OFF\n3 1 0\n1 1 1\n1 1 1\n1 1 1\n3 0 1 2\n")

    assert "no size" in refused(path).reason


def test_faces_of_vertices_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.off"
    path.write_text("OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 7\n")

    assert refused(path).kind == "corrupt"


def test_a_mesh_over_the_limit_of_triangles_is_refused(tmp_path: Path, write: Write) -> None:
    for name in ("a.glb", "a.fbx"):
        error = refused(write(tmp_path / name), ReadOptions(max_triangles=1))

        assert error.kind == "too_large"


def test_a_3mf_that_unpacks_to_too_much_is_refused_by_its_declared_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Write
) -> None:
    monkeypatch.setattr("unisearch.media.scene.MAX_UNZIPPED_BYTES", 100)

    assert refused(write(tmp_path / "a.3mf")).kind == "too_large"


def gltf(path: Path, uri: str, image: str | None = None) -> Path:
    """One triangle whose buffer (and texture, when named) lies under the given address."""
    header: dict[str, object] = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "material": 0}]}],
        "buffers": [{"uri": uri, "byteLength": 36}],
        "bufferViews": [{"buffer": 0, "byteLength": 36}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}],
        "materials": [{"pbrMetallicRoughness": {"baseColorFactor": [1, 0, 0, 1]}}],
    }
    if image:
        header["materials"] = [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}]
        header |= {"textures": [{"source": 0}], "images": [{"uri": image}]}
    path.write_text(json.dumps(header))
    return path


CORNERS = struct.pack("<9f", 0, 0, 0, 1, 0, 0, 0, 1, 0)


@pytest.fixture
def opened_paths(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Collects every path that anything opens while the test runs."""
    seen: list[Path] = []
    original = io.open

    def spy(file: object, *args: object, **kwargs: object) -> object:
        if not isinstance(file, int):
            seen.append(Path(str(file)).resolve())
        return original(file, *args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setattr(io, "open", spy)
    monkeypatch.setattr("builtins.open", spy)
    return seen


@pytest.mark.parametrize(
    "form", ["../secret.bin", "{secret}", "file://{secret}", "..%2Fsecret.bin"]
)
def test_a_gltf_cannot_read_outside_its_folder(
    form: str, tmp_path: Path, opened_paths: list[Path]
) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(CORNERS)
    (tmp_path / "models").mkdir()
    path = gltf(tmp_path / "models/a.gltf", form.format(secret=secret))
    opened_paths.clear()

    error = refused(path)

    assert error.kind in ("unsupported", "corrupt")
    assert path in opened_paths
    assert secret not in opened_paths


def test_a_gltf_cannot_read_through_a_symbolic_link(
    tmp_path: Path, opened_paths: list[Path]
) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(CORNERS)
    (tmp_path / "models").mkdir()
    (tmp_path / "models/inside.bin").symlink_to(secret)
    path = gltf(tmp_path / "models/a.gltf", "inside.bin")
    opened_paths.clear()

    assert "outside" in refused(path).reason
    assert secret not in opened_paths


def test_a_texture_and_a_material_outside_the_folder_are_left_out(
    tmp_path: Path, opened_paths: list[Path]
) -> None:
    half_and_half().save(tmp_path / "secret.png")
    (tmp_path / "secret.mtl").write_text("newmtl m\nKd 1 0 0\n")
    inside = tmp_path / "models"
    inside.mkdir()
    (inside / "corners.bin").write_bytes(CORNERS)
    (inside / "b.obj").write_text("mtllib ../secret.mtl\n" + TRIANGLE + "usemtl m\nf 1 2 3\n")
    path = gltf(inside / "a.gltf", "corners.bin", "../secret.png")
    opened_paths.clear()

    white, plain = surface(path), surface(inside / "b.obj")

    np.testing.assert_allclose(face_colors(white), [[1, 1, 1]])
    assert plain.face_colors is None
    assert not {tmp_path / "secret.png", tmp_path / "secret.mtl"} & set(opened_paths)


def test_a_gltf_with_a_missing_buffer_is_damaged_not_vanished(tmp_path: Path) -> None:
    error = refused(gltf(tmp_path / "a.gltf", "missing.bin"))

    assert error.kind == "corrupt"
    assert "missing.bin" in error.reason


def test_a_gltf_that_needs_an_unknown_packing_is_unsupported(tmp_path: Path) -> None:
    path = gltf(tmp_path / "a.gltf", "corners.bin")
    header = json.loads(path.read_text()) | {"extensionsRequired": ["EXT_meshopt_compression"]}
    path.write_text(json.dumps(header))

    assert refused(path).kind == "unsupported"


def test_a_gltf_that_declares_a_billion_values_is_too_large(tmp_path: Path) -> None:
    path = gltf(tmp_path / "a.gltf", "corners.bin")
    header = json.loads(path.read_text())
    header["accessors"][0] = {"componentType": 5126, "count": 10**9, "type": "VEC3"}
    path.write_text(json.dumps(header))

    assert refused(path).kind == "too_large"


@pytest.mark.parametrize("suffix", [".glb", ".ply", ".stl", ".3mf", ".npy", ".npz", ".fbx", ".dae"])
def test_a_file_that_ends_early_is_refused(suffix: str, tmp_path: Path, write: Write) -> None:
    path = write(tmp_path / f"a{suffix}")
    content = path.read_bytes()
    path.write_bytes(content[: math.ceil(len(content) * 0.6)])

    assert refused(path).kind == "corrupt"
