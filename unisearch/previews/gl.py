"""Solids drawn by OpenGL without a screen (EGL), where the extra 'render' is installed.

The same pictures as those of `draw`, but for a few pixels along edges.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unisearch.previews.draw import AMBIENT, DIRECT, LIGHT, SKY
from unisearch.previews.mesh import Solid
from unisearch.stage import DISTANCE, View, ground

logger = logging.getLogger(__name__)

#: Drivers that draw on the processor, on all its cores at once: our own way takes one.
ON_PROCESSOR = ("llvmpipe", "softpipe", "swrast")

_VERTEX = """#version 330
uniform mat3 camera; uniform float scale, middle, distance;
in vec3 position, normal, color;
out vec3 shade_normal, shade_color;
void main() {
    vec3 turned = camera * position;
    float away = distance - turned.z;
    const float near = 1.0, far = 6.0;
    float depth = (far + near) / (far - near) * away - 2.0 * far * near / (far - near);
    gl_Position = vec4(turned.x * scale, (turned.y - middle * away) * scale, depth, away);
    shade_normal = normal;
    shade_color = color;
}"""
_FRAGMENT = """#version 330
uniform vec3 towards, up; uniform float ambient, direct, sky;
in vec3 shade_normal, shade_color;
out vec4 shown;
void main() {
    float facing = gl_FrontFacing ? 1.0 : -1.0;
    float lit = max(dot(shade_normal, towards) * facing, 0.0);
    float strength = ambient * (1.0 + sky * dot(shade_normal, up) * facing) + direct * lit;
    shown = vec4(clamp(shade_color * strength, 0.0, 1.0), 1.0);
}"""


class Canvas:
    """An OpenGL context of this process with its program. Raises what its driver says."""

    def __init__(self) -> None:
        import moderngl

        settings: dict[str, Any] = {"backend": "egl"}

        self._context = moderngl.create_context(standalone=True, **settings)
        self.renderer = str(self._context.info["GL_RENDERER"])
        self._context.enable(moderngl.DEPTH_TEST)
        self._program = self._context.program(_VERTEX, _FRAGMENT)
        self._targets: dict[int, Any] = {}
        self._solid: Solid | None = None  # whose corners the card holds
        self._array: Any = None
        self._buffer: Any = None

    def draw(self, solid: Solid, view: View) -> NDArray[np.uint8]:
        """uint8 (size, size, 3), as `draw_solid` draws it."""
        if solid is not self._solid:
            self._load(solid)
        self._set(view)
        target = self._target(view.size)
        target.use()
        target.clear(0.0, 0.0, 0.0, 0.0)
        self._array.render()
        data = target.read(components=4)
        rgba = np.frombuffer(data, np.uint8).reshape(view.size, view.size, 4)[::-1]
        below = np.asarray(ground(view.size) * 255.0 + 0.5, np.uint8)
        return np.where(rgba[..., 3:] > 0, rgba[..., :3], below)

    def _load(self, solid: Solid) -> None:
        self.forget()
        places = solid.vertices[solid.faces].reshape(-1, 3)
        colors = np.repeat(solid.colors, 3, axis=0)
        corners = np.concatenate([places, solid.normals.reshape(-1, 3), colors], axis=1)
        self._buffer = self._context.buffer(corners.astype(np.float32).tobytes())
        content = [(self._buffer, "3f 3f 3f", "position", "normal", "color")]
        self._array = self._context.vertex_array(self._program, content)
        self._solid = solid

    def forget(self) -> None:
        """Free what the card holds of the last solid."""
        for held in (self._array, self._buffer):
            if held is not None:
                held.release()
        self._solid = self._array = self._buffer = None

    def _set(self, view: View) -> None:
        values = {
            "camera": tuple(view.camera.T.reshape(-1)),  # columns first
            "scale": 2.0 * view.scale / view.size,
            "middle": view.middle,
            "distance": DISTANCE,
            "towards": tuple(view.camera.T @ (LIGHT / np.linalg.norm(LIGHT))),
            "up": tuple(view.camera[1]),
            "ambient": AMBIENT,
            "direct": DIRECT,
            "sky": SKY,
        }
        for name, value in values.items():
            self._program[name] = value

    def _target(self, size: int) -> Any:
        if size not in self._targets:
            self._targets[size] = self._context.simple_framebuffer((size, size), 4)
        return self._targets[size]


@lru_cache(maxsize=1)
def canvas() -> Canvas | None:
    """The canvas of this process, or None, with a line at level debug, where there is no GPU."""
    try:
        opened = Canvas()
    except ImportError:
        return None
    except Exception as error:  # whatever a driver says
        logger.debug("models are drawn without OpenGL: %s: %s", type(error).__name__, error)
        return None
    if any(name in opened.renderer for name in ON_PROCESSOR):
        logger.debug("models are drawn without OpenGL: it is '%s'", opened.renderer)
        return None
    return opened
