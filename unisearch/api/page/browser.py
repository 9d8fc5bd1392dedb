"""What only a browser can do, in as few of its words as it takes; all else is Python.

Each is an expression for `js_handler` of NiceGUI, of which `getElement` finds an element by id.
"""

from __future__ import annotations

VALUE = "(event) => emit(event.target.value)"
OPEN = "(event) => emit(event.target.open)"


def give_dropped(upload: int) -> str:
    """Files that are dropped go to that upload."""
    return (
        "(event) => { event.preventDefault();"
        f" getElement({upload}).$refs.qRef.addFiles(event.dataTransfer.files); }}"
    )


def give_pasted(upload: int) -> str:
    """Files that are pasted go to that upload; pasted words go where they went."""
    return (
        "(event) => { const files = event.clipboardData.files; if (files.length) {"
        f" event.preventDefault(); getElement({upload}).$refs.qRef.addFiles(files); }} }}"
    )


def pick(upload: int) -> str:
    """The browser's own choice of files, for that upload."""
    return f"(event) => getElement({upload}).$refs.qRef.pickFiles(event)"


def record(upload: int) -> str:
    """Begins to record from the microphone; a second call ends it and gives the sound."""
    return f"""async (event) => {{
        const button = event.currentTarget;
        if (button.recorder) {{ button.recorder.stop(); return; }}
        try {{
            const stream = await navigator.mediaDevices.getUserMedia({{audio: true}});
            const recorder = new MediaRecorder(stream), pieces = [];
            recorder.ondataavailable = (part) => pieces.push(part.data);
            recorder.onstop = () => {{
                stream.getTracks().forEach((track) => track.stop());
                button.recorder = null;
                const kind = recorder.mimeType.includes("mp4") ? "m4a" : "weba";
                const file = new File(pieces, "recording." + kind, {{type: recorder.mimeType}});
                getElement({upload}).$refs.qRef.addFiles([file]);
                emit("ended");
            }};
            button.recorder = recorder;
            recorder.start();
            emit("recording");
        }} catch (error) {{ emit("refused: " + error.message); }}
    }}"""


def play(player: int, on: bool) -> str:
    """Plays that player, or stops it; a browser may refuse until the page was clicked."""
    call = f"getHtmlElement({player})"
    return f"() => {call}.play().catch(() => null)" if on else f"() => {call}.pause()"
