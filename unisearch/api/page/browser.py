"""What only a browser can do, in as few of its words as it takes; all else is Python.

Each is an expression for `js_handler` of NiceGUI, of which `getElement` finds an element by id;
KEYS and THEME are scripts of the document.
"""

from __future__ import annotations

VALUE = "(event) => emit(event.target.value)"
#: `/` leads to the box; arrows through the cards that show: right and left in their order, up and
#: down to the nearest of the next row.
KEYS = """document.addEventListener("keydown", (event) => {
    const busy = "input, select, textarea, audio, video";
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(busy)
        || document.querySelector(".detail")) return;
    let to = null;
    if (event.key === "/") {
        to = document.querySelector(".box input");
    } else if (event.key.startsWith("Arrow")) {
        const cards = [...document.querySelectorAll(".card .open")]
            .filter((card) => card.checkVisibility());
        const at = document.activeElement.closest(".card")?.querySelector(".open");
        const place = cards.indexOf(at), side = /Right|Down/.test(event.key) ? 1 : -1;
        const top = (card) => side * card.getBoundingClientRect().top;
        const left = (card) => card.getBoundingClientRect().left;
        if (place < 0) {
            to = cards[0];
        } else if (/Right|Left/.test(event.key)) {
            to = cards[place + side];
        } else {
            const rest = cards.filter((card) => top(card) > top(at) + 4);
            const row = Math.min(...rest.map(top)) + 4;
            const far = (card) => Math.abs(left(card) - left(at));
            to = rest.filter((card) => top(card) < row).sort((a, b) => far(a) - far(b))[0];
        }
    }
    if (to) { event.preventDefault(); to.focus(); }
});"""
#: As the system has it until the button was pressed; then as it was chosen in this browser.
THEME = """window.addEventListener("load", () => {
    const chosen = localStorage.getItem("unisearch-dark");
    if (chosen !== null) Quasar.Dark.set(chosen === "true");
});"""
SWITCH_THEME = """() => {
    Quasar.Dark.toggle();
    localStorage.setItem("unisearch-dark", Quasar.Dark.isActive);
}"""


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
        if (!navigator.mediaDevices) {{
            emit("browsers give the microphone only to pages of this machine or over https");
            return;
        }}
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
        }} catch (error) {{ emit(error.message); }}
    }}"""


def play(player: int, on: bool) -> str:
    """Plays that player, or stops it; a browser may refuse until the page was clicked."""
    call = f"getHtmlElement({player})"
    return f"() => {call}.play().catch(() => null)" if on else f"() => {call}.pause()"
