"""A sketch of a Blender add-on: finds sounds for the selected object, over HTTP.

Install it in Blender (Edit, Preferences, Add-ons, Install from Disk), start `unisearch serve`, and
choose "Find sounds" in the object's context menu. It stands on Python alone: Blender brings no
other packages. The object leaves Blender as a PLY of its vertices.
"""

import json
import struct
import threading
import urllib.error
import urllib.request
import uuid

try:
    import bpy
except ImportError:  # outside of Blender the part below is a module of plain functions
    bpy = None

bl_info = {
    "name": "unisearch: find sounds",
    "blender": (3, 6, 0),
    "category": "Object",
}
URL = "http://127.0.0.1:8765"
TIMEOUT_S = 60


class NotFound(Exception):
    """The server cannot be asked, or refuses; one line says why."""


def ply(points):
    """Points [(x, y, z), ...] as binary PLY."""
    header = (
        f"ply\nformat binary_little_endian 1.0\nelement vertex {len(points)}\n"
        "property float x\nproperty float y\nproperty float z\nend_header\n"
    )
    return header.encode() + b"".join(struct.pack("<3f", *point) for point in points)


def form(model, question):
    """(content type, body) of multipart/form-data with the model and the question."""
    line = uuid.uuid4().hex
    body = (
        f'--{line}\r\nContent-Disposition: form-data; name="question"\r\n\r\n'
        f"{json.dumps(question)}\r\n"
        f'--{line}\r\nContent-Disposition: form-data; name="files"; filename="object.ply"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()
    return f"multipart/form-data; boundary={line}", body + model + f"\r\n--{line}--\r\n".encode()


def sounds_for(points, name="", url=URL, token=None, k=8):
    """[(score, path, weak), ...] of sounds that fit an object, best first.

    name: of the object; counts half as much as its shape
    """
    terms = [{"file": 0}] + ([{"text": name, "weight": 0.5}] if name else [])
    kind, body = form(ply(points), {"terms": terms, "into": ["audio"], "k": k})
    headers = {"Content-Type": kind} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(f"{url}/v1/search/files", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            hits = json.load(response)["hits"]
    except urllib.error.HTTPError as error:
        with error:
            raise NotFound(json.load(error)["detail"]) from None
    except OSError as error:
        raise NotFound(f"{url}: {error}; is 'unisearch serve' running?") from None
    return [(hit["score"], hit["path"], hit["weak"]) for hit in hits]


if bpy is not None:

    class FindSounds(bpy.types.Operator):
        """Find sounds in the unisearch library that fit the selected object"""

        bl_idname = "object.unisearch_sounds"
        bl_label = "Find sounds"

        @classmethod
        def poll(cls, context):
            return context.object is not None and context.object.type == "MESH"

        def execute(self, context):
            thing = context.object
            points = [tuple(thing.matrix_world @ vertex.co) for vertex in thing.data.vertices]
            # Blender's data belongs to its own thread: only plain values go to the other one.
            self._found, self._failed = None, None
            self._thread = threading.Thread(target=self._ask, args=(points, thing.name))
            self._thread.start()
            self._timer = context.window_manager.event_timer_add(0.2, window=context.window)
            context.window_manager.modal_handler_add(self)
            return {"RUNNING_MODAL"}

        def _ask(self, points, name):
            try:
                self._found = sounds_for(points, name)
            except NotFound as error:
                self._failed = str(error)

        def modal(self, context, event):
            if event.type != "TIMER" or self._thread.is_alive():
                return {"PASS_THROUGH"}
            context.window_manager.event_timer_remove(self._timer)
            if self._failed:
                self.report({"ERROR"}, self._failed)
                return {"CANCELLED"}
            found = self._found or []
            context.window_manager.popup_menu(
                lambda menu, _: [
                    menu.layout.label(text=f"{score:.1f}  {path}{'  (weak)' * weak}")
                    for score, path, weak in found
                ],
                title="Sounds that fit",
            )
            return {"FINISHED"}

    def entry(self, _):
        self.layout.operator(FindSounds.bl_idname)

    def register():
        bpy.utils.register_class(FindSounds)
        bpy.types.VIEW3D_MT_object_context_menu.append(entry)

    def unregister():
        bpy.types.VIEW3D_MT_object_context_menu.remove(entry)
        bpy.utils.unregister_class(FindSounds)
