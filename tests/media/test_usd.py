"""USD models: places, colours, what they may be composed from."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pxr import Gf, Sdf, Tf, Usd, UsdGeom, UsdShade

from tests.media.conftest import zip_usd
from unisearch.errors import Unreadable
from unisearch.media.mesh import load_mesh, load_model
from unisearch.media.read import read
from unisearch.media.usd_stage import read_stage
from unisearch.records import ReadOptions, TriangleMesh

Write = Callable[[Path], Path]

SQUARE = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)]
RED, BLUE = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)


@pytest.fixture
def apart() -> None:
    """For tests of the process that reads each file; the others save a third of a second."""


@pytest.fixture(autouse=True)
def here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "apart" not in request.fixturenames:
        monkeypatch.setattr("unisearch.media.usd.load_usd", read_stage)


def square(stage: Usd.Stage, place: str) -> UsdGeom.Mesh:
    """One polygon of four corners, 1 x 1, in the plane z = 0."""
    mesh = UsdGeom.Mesh.Define(stage, place)
    mesh.CreatePointsAttr(SQUARE)
    mesh.CreateFaceVertexCountsAttr([4])
    mesh.CreateFaceVertexIndicesAttr([0, 1, 2, 3])
    return mesh


def new(path: Path) -> Usd.Stage:
    return Usd.Stage.CreateNew(str(path))


def saved(path: Path, stage: Usd.Stage) -> Path:
    """The stage as the path's suffix wants it."""
    stage.GetRootLayer().Save()
    source = Path(stage.GetRootLayer().realPath)
    return zip_usd(path, source) if path.suffix == ".usdz" else source


def surface(path: Path) -> TriangleMesh:
    mesh = load_mesh(path)
    assert isinstance(mesh, TriangleMesh)
    return mesh


def rgb_of(path: Path) -> np.ndarray:
    mesh = surface(path)
    assert mesh.face_colors is not None
    assert mesh.face_colors.shape == mesh.faces.shape
    return mesh.face_colors


def refused(path: Path, options: ReadOptions = ReadOptions()) -> Unreadable:  # noqa: B008
    with pytest.raises(Unreadable) as caught:
        load_mesh(path, options)
    assert "\n" not in str(caught.value)
    return caught.value


def painted(stage: Usd.Stage, name: str, color: tuple[float, ...]) -> UsdShade.Material:
    material = UsdShade.Material.Define(stage, f"/{name}")
    shader = UsdShade.Shader.Define(stage, f"/{name}/Surface")
    shader.CreateIdAttr("UsdPreviewSurface")
    shader.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).Set(color)
    material.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")
    return material


def bind(prim: Usd.Prim, material: UsdShade.Material) -> None:
    UsdShade.MaterialBindingAPI.Apply(prim).Bind(material)


@pytest.mark.parametrize("suffix", [".usd", ".usda", ".usdc", ".usdz"])
@pytest.mark.parametrize("up", ["y", "z"])
def test_every_kind_keeps_polygons_places_and_the_axis_up(
    suffix: str, up: str, tmp_path: Path
) -> None:
    stage = new(tmp_path / f"a{suffix.replace('z', 'c')}")
    UsdGeom.SetStageUpAxis(stage, up.upper())
    room = UsdGeom.Xform.Define(stage, "/Room")
    room.AddTranslateOp().Set((10, 20, 30))
    chair = square(stage, "/Room/Chair")
    chair.AddScaleOp().Set((2, 3, 1))

    model = load_model(saved(tmp_path / f"a{suffix}", stage))

    assert isinstance(model.shape, TriangleMesh)
    assert len(model.shape.faces) == 2
    np.testing.assert_allclose(model.shape.vertices.min(axis=0), [10, 20, 30])
    np.testing.assert_allclose(model.shape.vertices.max(axis=0), [12, 23, 30])
    assert model.shape.up == up
    assert model.shape.face_colors is None
    assert model.names == ("Room", "Chair")


def test_the_words_of_a_usd_model_are_the_names_of_its_nodes(tmp_path: Path) -> None:
    stage = new(tmp_path / "a.usda")
    square(stage, "/Garden/Bench")

    assert read(saved(tmp_path / "a.usda", stage)).words == "Garden Bench"


@pytest.mark.parametrize(
    ("kind", "held", "expected"),
    [
        ("constant", [(0.2, 0.5, 1.0)], [(0.485, 0.735, 1.0)] * 2),
        ("uniform", [(0.0, 1.0, 0.0)], [(0, 1, 0)] * 2),
        # The corners of the two triangles are 0 1 2 and 0 2 3; means are of linear light.
        ("vertex", [RED, RED, RED, BLUE], [RED, (0.837, 0, 0.612)]),
        ("faceVarying", [BLUE, BLUE, BLUE, RED], [BLUE, (0.612, 0, 0.837)]),
    ],
)
def test_display_colours_are_linear_light_for_each_face(
    kind: str, held: list[tuple[float, ...]], expected: list[tuple[float, ...]], tmp_path: Path
) -> None:
    stage = new(tmp_path / "a.usda")
    square(stage, "/A").CreateDisplayColorPrimvar(kind).Set(held)

    rgb = rgb_of(saved(tmp_path / "a.usda", stage))

    np.testing.assert_allclose(rgb, expected, atol=0.01)


def test_display_colours_of_a_wrong_number_are_left_out(tmp_path: Path) -> None:
    stage = new(tmp_path / "a.usda")
    square(stage, "/A").CreateDisplayColorPrimvar("vertex").Set([RED, BLUE])

    assert surface(saved(tmp_path / "a.usda", stage)).face_colors is None


def test_a_bound_preview_surface_goes_before_the_display_colour(tmp_path: Path) -> None:
    stage = new(tmp_path / "a.usda")
    mesh = square(stage, "/A")
    mesh.CreateDisplayColorPrimvar("constant").Set([BLUE])
    bind(mesh.GetPrim(), painted(stage, "Paint", (0.2, 0.5, 1.0)))

    rgb = rgb_of(saved(tmp_path / "a.usda", stage))

    np.testing.assert_allclose(rgb, [[0.485, 0.735, 1.0]] * 2, atol=0.01)


def test_a_material_of_some_faces_colours_those(tmp_path: Path) -> None:
    stage = new(tmp_path / "a.usda")
    mesh = square(stage, "/A")
    mesh.GetFaceVertexCountsAttr().Set([3, 3])
    mesh.GetFaceVertexIndicesAttr().Set([0, 1, 2, 0, 2, 3])
    bind(mesh.GetPrim(), painted(stage, "Wall", BLUE))
    subset = UsdShade.MaterialBindingAPI(mesh).CreateMaterialBindSubset("door", [1])
    bind(subset.GetPrim(), painted(stage, "Door", RED))

    rgb = rgb_of(saved(tmp_path / "a.usda", stage))

    np.testing.assert_allclose(rgb, [BLUE, RED], atol=1e-4)


def test_a_material_with_a_texture_leaves_the_display_colour(tmp_path: Path) -> None:
    stage = new(tmp_path / "a.usda")
    mesh = square(stage, "/A")
    mesh.CreateDisplayColorPrimvar("constant").Set([RED])
    bind(mesh.GetPrim(), painted(stage, "Paint", BLUE))
    texture = UsdShade.Shader.Define(stage, "/Paint/Texture")
    texture.CreateIdAttr("UsdUVTexture")
    texture.CreateInput("file", Sdf.ValueTypeNames.Asset).Set("../../etc/wood.png")
    shown = UsdShade.Shader.Get(stage, "/Paint/Surface").GetInput("diffuseColor")
    shown.ConnectToSource(texture.CreateOutput("rgb", Sdf.ValueTypeNames.Float3))

    rgb = rgb_of(saved(tmp_path / "a.usda", stage))

    np.testing.assert_allclose(rgb, [RED] * 2, atol=1e-4)


def test_what_nobody_is_meant_to_see_is_left_out(tmp_path: Path) -> None:
    stage = new(tmp_path / "a.usda")
    square(stage, "/Shown")
    square(stage, "/Hidden/Inside")
    UsdGeom.Imageable(UsdGeom.Xform.Define(stage, "/Hidden")).MakeInvisible()
    square(stage, "/Guide").CreatePurposeAttr("guide")
    square(stage, "/Off").GetPrim().SetActive(False)
    stage.CreateClassPrim("/Pattern")
    square(stage, "/Pattern/Mesh")

    model = load_model(saved(tmp_path / "a.usda", stage))

    assert model.names == ("Shown",)


def test_instances_and_references_beside_the_model_are_shown_each_in_its_place(
    tmp_path: Path,
) -> None:
    chair = new(tmp_path / "chair.usda")
    square(chair, "/Chair/Seat")
    saved(tmp_path / "chair.usda", chair)
    stage = new(tmp_path / "a.usda")
    for number in range(3):
        placed = UsdGeom.Xform.Define(stage, f"/Chair{number}")
        placed.AddTranslateOp().Set((10 * number, 0, 0))
        placed.GetPrim().GetReferences().AddReference("./chair.usda", "/Chair")
        placed.GetPrim().SetInstanceable(True)

    mesh = surface(saved(tmp_path / "a.usda", stage))

    assert len(mesh.faces) == 6
    np.testing.assert_allclose(np.unique(mesh.vertices[:, 0]), [0, 1, 10, 11, 20, 21])


def test_a_point_instancer_shows_its_patterns_only_where_it_puts_them(tmp_path: Path) -> None:
    stage = new(tmp_path / "a.usda")
    forest = UsdGeom.PointInstancer.Define(stage, "/Forest")
    forest.AddTranslateOp().Set((0, 0, 7))
    square(stage, "/Forest/Tree/Crown").AddScaleOp().Set((2, 2, 2))
    forest.CreatePrototypesRel().AddTarget("/Forest/Tree")
    forest.CreateProtoIndicesAttr([0, 0, 0])
    forest.CreatePositionsAttr([(0, 0, 0), (100, 0, 0), (200, 0, 0)])
    forest.CreateOrientationsAttr([Gf.Quath(1.0)] * 3)
    forest.CreateIdsAttr([5, 6, 7])
    forest.InvisId(6, Usd.TimeCode.Default())

    mesh = surface(saved(tmp_path / "a.usda", stage))

    np.testing.assert_allclose(np.unique(mesh.vertices[:, 0]), [0, 2, 200, 202])
    np.testing.assert_allclose(mesh.vertices[:, 2], 7)


def test_what_moves_stands_where_it_is_first(tmp_path: Path) -> None:
    stage = new(tmp_path / "a.usda")
    move = square(stage, "/A").AddTranslateOp()
    move.Set((5, 0, 0), 1)
    move.Set((9, 0, 0), 2)

    mesh = surface(saved(tmp_path / "a.usda", stage))

    np.testing.assert_allclose(mesh.vertices.min(axis=0), [5, 0, 0])


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("hand", ["leftHanded", "rightHanded"])
def test_the_outside_stays_outside(hand: str, mirrored: bool, tmp_path: Path) -> None:
    stage = new(tmp_path / "a.usda")
    mesh = square(stage, "/A")
    mesh.CreateOrientationAttr(hand)
    mesh.AddScaleOp().Set((-1 if mirrored else 1, 1, 1))

    read_back = surface(saved(tmp_path / "a.usda", stage))

    first, second, third = read_back.vertices[read_back.faces[0]]
    upward = np.cross(second - first, third - first)[2] > 0
    assert upward == (hand == "rightHanded")


class Watch:
    """Tells whether a file was opened since; the kernel says so, whoever opened it."""

    IN_OPEN = 0x20

    def __init__(self, path: Path) -> None:
        libc = ctypes.CDLL(None)
        self.events = libc.inotify_init1(os.O_NONBLOCK)
        assert libc.inotify_add_watch(self.events, os.fsencode(path), self.IN_OPEN) >= 0

    def opened(self) -> bool:
        try:
            return bool(os.read(self.events, 4096))
        except BlockingIOError:
            return False


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    stage = new(tmp_path / "secret.usda")
    square(stage, "/Secret")
    return saved(tmp_path / "secret.usda", stage)


def asking(path: Path, name: str, arc: str) -> Path:
    """A model with a shape of its own that also asks for `name`."""
    layer = Sdf.Layer.CreateNew(str(path))
    stage = Usd.Stage.Open(layer)
    square(stage, "/Own")
    prim = stage.DefinePrim("/Other")
    if arc == "sublayer":
        layer.subLayerPaths.append(name)
    else:
        spec = layer.GetPrimAtPath("/Other")
        if arc == "variant":
            prim.GetVariantSets().AddVariantSet("kind").AddVariant("rare")
            spec = layer.GetPrimAtPath("/Other").variantSets["kind"].variants["rare"].primSpec
        arcs, kind = (
            (spec.payloadList, Sdf.Payload)
            if arc == "payload"
            else (spec.referenceList, Sdf.Reference)
        )
        arcs.prependedItems.append(kind(name, "/Secret"))
    layer.Save()
    return path


LEADING_OUT = ["../secret.usda", "{secret}", "inside.usda", "sub/../../secret.usda"]


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel of Linux what was opened")
@pytest.mark.parametrize("arc", ["sublayer", "reference", "payload", "variant"])
@pytest.mark.parametrize("name", LEADING_OUT)
def test_a_layer_outside_the_folder_is_never_opened(
    name: str, arc: str, tmp_path: Path, secret: Path
) -> None:
    (tmp_path / "models/sub").mkdir(parents=True)
    (tmp_path / "models/inside.usda").symlink_to(secret)
    path = asking(tmp_path / "models/a.usda", name.format(secret=secret), arc)
    watch = Watch(secret)

    error = refused(path)

    assert error.kind == "unsupported"
    assert "outside its own folder" in error.reason
    assert not watch.opened()
    assert secret.read_bytes()
    assert watch.opened()  # the watch itself works


@pytest.mark.parametrize("name", ["https://example.org/a.usda", '`"${HOME}/a.usda"`'])
def test_an_address_and_a_computed_name_are_refused(name: str, tmp_path: Path) -> None:
    error = refused(asking(tmp_path / "a.usda", name, "reference"))

    assert error.kind == "unsupported"
    assert "outside" in error.reason


def test_the_folder_that_the_program_runs_in_is_not_searched(
    tmp_path: Path, secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models").mkdir()
    monkeypatch.chdir(tmp_path)

    assert "outside" in refused(asking(tmp_path / "models/a.usda", secret.name, "payload")).reason


def test_a_layer_that_a_layer_asks_for_is_looked_at_too(tmp_path: Path, secret: Path) -> None:
    (tmp_path / "models/sub").mkdir(parents=True)
    asking(tmp_path / "models/sub/b.usda", "../../secret.usda", "sublayer")
    path = asking(tmp_path / "models/a.usda", "./sub/b.usda", "sublayer")

    assert refused(path).kind == "unsupported"


def test_a_package_cannot_ask_for_what_lies_outside_it(tmp_path: Path, secret: Path) -> None:
    (tmp_path / "models").mkdir()
    inner = asking(tmp_path / "b.usda", str(secret), "reference")

    error = refused(zip_usd(tmp_path / "models/a.usdz", inner))

    assert error.kind == "unsupported"


def test_a_package_is_composed_from_the_layers_in_it(tmp_path: Path, secret: Path) -> None:
    (tmp_path / "models").mkdir()
    inner = asking(tmp_path / "b.usda", "secret.usda", "reference")

    mesh = surface(zip_usd(tmp_path / "models/a.usdz", inner, secret))

    assert len(mesh.faces) == 4


def test_a_missing_layer_costs_the_model(tmp_path: Path) -> None:
    error = refused(asking(tmp_path / "a.usda", "./gone.usda", "reference"))

    assert error.kind == "corrupt"
    assert "gone.usda" in error.reason


def test_value_clips_are_refused(tmp_path: Path, secret: Path) -> None:
    stage = new(tmp_path / "a.usda")
    clips = Usd.ClipsAPI(square(stage, "/A"))
    clips.SetClipAssetPaths([Sdf.AssetPath(str(secret))])

    error = refused(saved(tmp_path / "a.usda", stage))

    assert error.kind == "unsupported"
    assert "clips" in error.reason


@pytest.mark.parametrize("suffix", [".usda", ".usdc", ".usdz"])
def test_a_usd_file_that_ends_early_is_refused_in_one_line(
    suffix: str, tmp_path: Path, write: Write, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / f"a{suffix}")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * 0.6)])

    error = refused(path)

    assert error.kind == "corrupt"
    assert "pxrInternal" not in error.reason
    assert str(tmp_path) not in error.reason
    assert capfd.readouterr() == ("", "")


def test_a_text_that_is_no_usd_is_told_without_names_of_the_library(tmp_path: Path) -> None:
    path = tmp_path / "a.usda"
    path.write_text('#usda 1.0\ndef Mesh "A"\n{\n    int[] faceVertexCounts = [3,, 3]\n}\n')

    error = refused(path)

    assert error.kind == "corrupt"
    assert error.reason == "damaged or not a 3D model: its text is broken in line 4"
    assert "pxrInternal" not in error.reason


def test_too_little_memory_for_a_usd_model_is_no_damage(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: object) -> None:
        Tf.RaiseRuntimeError("Encountered: std::bad_alloc, while reading")

    monkeypatch.setattr(Sdf.Layer, "FindOrOpen", exhausted)

    assert refused(write(tmp_path / "a.usdc")).kind == "memory"


def test_a_model_that_changed_is_read_anew(tmp_path: Path) -> None:
    first = new(tmp_path / "first.usda")
    square(first, "/A")
    second = new(tmp_path / "second.usda")
    square(second, "/A").AddTranslateOp().Set((5, 0, 0))
    path = tmp_path / "a.usda"

    seen = []
    for stage in (first, second):
        path.write_bytes(saved(tmp_path / "x.usda", stage).read_bytes())
        seen.append(float(surface(path).vertices[:, 0].min()))

    assert seen == [0.0, 5.0]


def test_a_usd_model_without_faces_is_refused(tmp_path: Path) -> None:
    for name in ("a.usda", "a.usdz"):
        stage = new(tmp_path / "a.usdc") if name == "a.usdz" else new(tmp_path / name)
        UsdGeom.Sphere.Define(stage, "/Ball")

        assert refused(saved(tmp_path / name, stage)).reason == "the model has no faces"


@pytest.mark.parametrize(
    ("points", "counts", "index", "reason"),
    [
        ([(0, 0, 0), (float("nan"), 0, 0), (0, 1, 0)], [3], [0, 1, 2], "finite"),
        (SQUARE, [3], [0, 1, 7], ""),
        (SQUARE, [3], [0, 1, -1], "does not exist"),
        (SQUARE, [4], [0, 1, 2], "do not match"),
        (SQUARE, [5, -1], [0, 1, 2, 3], "do not match"),
    ],
)
def test_meshes_that_contradict_themselves_are_refused(
    points: list[tuple[float, ...]],
    counts: list[int],
    index: list[int],
    reason: str,
    tmp_path: Path,
) -> None:
    stage = new(tmp_path / "a.usda")
    mesh = square(stage, "/A")
    mesh.GetPointsAttr().Set(points)
    mesh.GetFaceVertexCountsAttr().Set(counts)
    mesh.GetFaceVertexIndicesAttr().Set(index)

    error = refused(saved(tmp_path / "a.usda", stage))

    assert error.kind == "corrupt"
    assert reason in error.reason


def test_instances_count_against_the_limit_of_triangles(tmp_path: Path) -> None:
    stage = new(tmp_path / "a.usda")
    square(stage, "/Forest/Tree")
    forest = UsdGeom.PointInstancer.Define(stage, "/Forest")
    forest.CreatePrototypesRel().AddTarget("/Forest/Tree")
    forest.CreateProtoIndicesAttr([0] * 100)
    forest.CreatePositionsAttr([(0, 0, 0)] * 100)
    path = saved(tmp_path / "a.usda", stage)

    assert refused(path, ReadOptions(max_triangles=199)).kind == "too_large"
    assert len(surface(path).faces) == 200


def test_a_package_that_declares_more_than_a_file_may_hold_is_too_large(
    apart: None, tmp_path: Path, write: Write
) -> None:
    path = write(tmp_path / "a.usdz")
    size = path.stat().st_size
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = (2**31).to_bytes(4, "little")  # its uncompressed size
    path.write_bytes(content)

    error = refused(path, ReadOptions(max_file_bytes=2 * size))

    assert error.kind == "too_large"
    assert "unpacks" in error.reason


@pytest.mark.parametrize("name", [b"caf\xe9", b"two\nlines", b"a[b.usda]", b"http:__example.org"])
def test_any_name_of_a_usd_file_is_read(
    name: bytes, apart: None, tmp_path: Path, write: Write
) -> None:
    path = tmp_path / os.fsdecode(name + b".usda")
    write(tmp_path / "plain.usda").rename(path)

    assert len(surface(path).faces) == 12


def test_without_the_package_the_reason_names_the_extra(
    apart: None, tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = write(tmp_path / "a.usdz"), write(tmp_path / "a.obj")
    monkeypatch.setitem(sys.modules, "pxr", None)

    error = refused(path)

    assert error.kind == "unsupported"
    assert "pip install 'unisearch[usd]'" in error.reason
    assert len(surface(other).faces) == 12


@pytest.mark.parametrize(
    ("what", "kind", "reason"),
    [
        ("import os; os.abort()", "corrupt", "crashed"),
        ("import os; os.kill(os.getpid(), 9)", "memory", "memory"),
        ("raise ImportError('no libusd.so')", "unsupported", "no libusd.so"),
    ],
)
def test_a_file_that_ends_the_library_is_one_line_and_the_next_is_read(
    what: str,
    kind: str,
    reason: str,
    apart: None,
    tmp_path: Path,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = write(tmp_path / "a.usdc")
    with monkeypatch.context() as damaged:
        damaged.setattr("unisearch.media.usd._CHILD", what)

        error = refused(path)

    assert error.kind == kind
    assert reason in error.reason
    assert len(surface(path).faces) == 12


def test_a_file_that_never_ends_is_given_up(
    apart: None, tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.usdc")
    monkeypatch.setattr("unisearch.media.usd._CHILD", "import time; time.sleep(1000)")
    monkeypatch.setattr("unisearch.media.usd.TIMEOUT_S", 0.1)

    assert refused(path).kind == "timeout"


def test_refusals_come_back_from_the_process_as_they_were(apart: None, tmp_path: Path) -> None:
    far = asking(tmp_path / "a.usda", "../secret.usda", "sublayer")
    torn = tmp_path / "b.usda"
    torn.write_text("#usda 1.0\ndef {")

    assert refused(far).kind == "corrupt"  # there is no such file
    assert "secret.usda" in refused(far).reason
    assert refused(torn).kind == "corrupt"
    assert str(tmp_path) not in refused(torn).reason


def test_other_models_are_read_without_importing_the_package(tmp_path: Path, write: Write) -> None:
    path = write(tmp_path / "a.obj")
    code = (
        "import sys, pathlib; from unisearch.media.read import read;"
        "read(pathlib.Path(sys.argv[1])); sys.exit('pxr' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=False)

    assert done.returncode == 0, done.stderr
