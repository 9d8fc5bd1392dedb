"""The colours of a USD mesh: of its materials, or those that it is displayed in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pxr import UsdGeom, UsdShade

from unisearch.media import colors


def face_colors(
    mesh: Any, time: Any, index: NDArray[Any], corners: NDArray[Any], polygon: NDArray[Any]
) -> NDArray[np.float32] | None:
    """sRGB (t, 3) in [0, 1] of the triangles, or None when the file declares no colour.

    index: (c,) the vertex of each corner; corners: (t, 3); polygon: (t,) that each came from
    As renderers do, a bound UsdPreviewSurface goes before primvars:displayColor, and the
    material of a subset of faces before that of the mesh. All are linear light.
    """
    prim = mesh.GetPrim()
    light = _displayed(prim, time, index, corners, polygon)
    bound = _diffuse(prim, time)
    if bound is not None:
        light = np.repeat(bound[None], len(polygon), axis=0)
    for subset in UsdShade.MaterialBindingAPI(prim).GetMaterialBindSubsets():
        bound, members = _diffuse(subset.GetPrim(), time), subset.GetIndicesAttr().Get(time)
        if bound is None or members is None:
            continue
        if light is None:
            grey = np.full((len(polygon), 3), colors.UNDECLARED, dtype=np.float32)
            light = colors.to_linear(grey)
        light[np.isin(polygon, np.asarray(members))] = bound
    return None if light is None else colors.to_srgb(light)


def _diffuse(prim: Any, time: Any) -> NDArray[np.float32] | None:
    """The plain diffuse colour (3,) of the prim's UsdPreviewSurface; None when it has none."""
    material, _ = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial()
    if not material:
        return None
    shader = material.ComputeSurfaceSource()[0]
    if not shader or shader.GetIdAttr().Get() != "UsdPreviewSurface":
        return None
    shown = shader.GetInput("diffuseColor")
    sources = UsdShade.Utils.GetValueProducingAttributes(shown) if shown else []
    value = sources[0].Get(time) if sources else None  # a texture is an output without a value
    return None if value is None else colors.unit_rgb(np.array(value, dtype=np.float32))[0]


def _displayed(
    prim: Any, time: Any, index: NDArray[Any], corners: NDArray[Any], polygon: NDArray[Any]
) -> NDArray[np.float32] | None:
    """primvars:displayColor for each triangle, or None; a parent's counts for its children."""
    primvar = UsdGeom.PrimvarsAPI(prim).FindPrimvarWithInheritance("displayColor")
    held = primvar.ComputeFlattened(time) if primvar and primvar.HasValue() else None
    if held is None or not len(held):
        return None
    rgb = colors.unit_rgb(np.asarray(held, dtype=np.float32))
    kind = primvar.GetInterpolation()
    if kind == UsdGeom.Tokens.uniform and len(rgb) > polygon.max(initial=-1):
        return np.asarray(rgb[polygon])
    if kind in (UsdGeom.Tokens.vertex, UsdGeom.Tokens.varying) and len(rgb) > index.max(initial=-1):
        return np.asarray(rgb[index[corners]].mean(axis=1))
    if kind == UsdGeom.Tokens.faceVarying and len(rgb) == len(index):
        return np.asarray(rgb[corners].mean(axis=1))
    # Older exporters leave the interpolation out, and then one colour is that of the whole.
    return np.repeat(rgb[:1], len(polygon), axis=0) if len(rgb) == 1 else None
