"""What a visitor does on the page, in a real browser."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

KINDS = ("text", "image", "audio", "3d", "video")
Visit = Callable[..., Any]
DROP = """([name, data]) => {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name));
    const target = document.querySelector(".content");
    target.dispatchEvent(new DragEvent("drop", {dataTransfer: transfer, bubbles: true}));
}"""
PASTE = DROP.replace('DragEvent("drop", {dataTransfer', 'ClipboardEvent("paste", {clipboardData')


#: Until the microphone has given more than the head of a file.
HEARD = """() => new Promise((heard) => {
    const { recorder } = [...document.querySelectorAll("button")].find((one) => one.recorder);
    let bytes = 0;
    const ask = setInterval(() => recorder.requestData(), 50);
    recorder.addEventListener("dataavailable", (part) => {
        bytes += part.data.size;
        if (bytes > 2_000) { clearInterval(ask); heard(); }
    });
})"""


def drop(page: Any, file: Path, how: str = DROP) -> None:
    """Drop a file on the page."""
    page.evaluate(how, [file.name, base64.b64encode(file.read_bytes()).decode()])
    page.wait_for_selector(f".part:has-text('{file.name}')")
    page.wait_for_selector(".card")


def answered(page: Any) -> None:
    """Wait until what was asked last is answered."""
    page.wait_for_function("!document.querySelector('.told').textContent.includes('Searching')")


def shown(page: Any, kind: str) -> int:
    """How many cards of that kind there are, weak ones as well."""
    return int(page.locator(f".card.kind-{kind}").count())


@pytest.fixture
def media(library: Path) -> Path:
    return library.parent / "media"


@pytest.mark.parametrize(
    "name", ["pictures/dog 01.jpg", "sounds/dog 01.wav", "models/piano 01.glb"]
)
def test_a_file_that_is_dropped_finds_cards_of_every_kind(
    visit: Visit, address: str, media: Path, name: str
) -> None:
    page = visit(address)

    drop(page, media / name)

    assert [kind for kind in KINDS if not shown(page, kind)] == []


def test_a_picture_that_is_pasted_is_asked_with(visit: Visit, address: str, media: Path) -> None:
    page = visit(address)

    drop(page, media / "pictures" / "car 01.jpg", PASTE)

    assert shown(page, "image")


def test_the_microphone_records_a_sound_that_is_asked_with(visit: Visit, address: str) -> None:
    page = visit(address)

    page.get_by_role("button", name="Record").click()
    page.wait_for_selector("text=Listening")
    page.evaluate(HEARD)
    page.get_by_role("button", name="Stop").click()
    page.wait_for_selector(".part:has-text('recording')")

    page.wait_for_selector(".card.kind-audio", state="attached")


def test_words_are_marked_in_the_texts_that_hold_them(visit: Visit, address: str) -> None:
    page = visit(address)

    page.get_by_label("Search words").fill("dog")
    page.keyboard.press("Enter")

    assert page.locator(".card.kind-text mark").first.inner_text().lower() == "dog"
    assert re.search(r"\d match", page.get_by_role("status").inner_text())


def test_a_sound_is_played_while_the_mouse_is_on_its_card(visit: Visit, address: str) -> None:
    page = visit(f"{address}/?q=dog")
    page.locator(".card.kind-audio audio").first.wait_for()
    page.evaluate("document.querySelector('audio').loop = true")  # else it may end by itself

    page.locator(".card.kind-audio .open").first.hover()
    page.wait_for_function("document.querySelector('audio').currentTime > 0.1")

    page.locator(".brand").hover()
    page.wait_for_function("document.querySelector('audio').paused")


def test_a_video_is_played_in_full_size(visit: Visit, address: str) -> None:
    page = visit(f"{address}/?q=car")

    page.locator(".card.kind-video .open").first.click()

    page.wait_for_function("document.querySelector('.detail video')?.readyState > 0")


def test_a_model_of_any_format_is_turned_in_the_viewer(visit: Visit, address: str) -> None:
    page = visit(f"{address}/?q=sedan")
    page.get_by_role("button", name="Open 3D model sedan 01.obj").click()

    with page.expect_response(re.compile(r"/models/\d+\.glb")) as answer:
        page.get_by_role("button", name="Turn it in 3D").click()

    assert answer.value.body()[:4] == b"glTF"
    page.wait_for_selector(".viewer canvas")


def test_more_like_this_and_not_like_this_become_terms_with_weights(
    visit: Visit, address: str
) -> None:
    page = visit(f"{address}/?q=dog")

    page.get_by_role("button", name="More like dog 01.jpg").first.click()
    page.wait_for_selector(".part:has-text('like dog 01.jpg')")
    answered(page)
    page.locator("[aria-label='Not like car 01.jpg']").first.dispatch_event("click")
    page.wait_for_selector(".part.not:has-text('car 01.jpg')")
    answered(page)
    assert page.locator(".card.kind-image [aria-label*='Open picture dog 01.jpg']").count() == 0
    page.locator(".part:has-text('“dog”') select").select_option(label="× 2")
    page.wait_for_selector(
        ".part:has-text('“dog”') option[selected]:has-text('× 2')", state="attached"
    )

    page.get_by_role("button", name="Remove car 01.jpg").click()
    page.wait_for_selector(".part:has-text('car 01.jpg')", state="detached")


def test_filters_keep_what_passes_them(visit: Visit, address: str) -> None:
    page = visit(f"{address}/?q=dog")
    page.wait_for_selector(".card")

    page.get_by_role("button", name="Sounds").click()
    page.wait_for_selector(".card.kind-image", state="detached")
    assert shown(page, "audio")

    page.get_by_label("Type").select_option(label=".wav")
    page.wait_for_selector("[aria-label*='recording 001.ogg']", state="detached")
    assert shown(page, "audio") == 2

    page.get_by_label("Duration").select_option(label="over 5 min")
    page.wait_for_selector("text=Nothing in the library passes these filters.")


def test_a_file_of_no_known_format_is_told(visit: Visit, address: str) -> None:
    page = visit(address)

    page.evaluate(DROP, ["what.zzz", base64.b64encode(b"\0\1 what").decode()])

    page.wait_for_selector("text=what.zzz cannot be searched for: of no format that is read")


def test_a_file_that_cannot_be_read_is_an_error_in_one_line(
    visit: Visit, address: str, media: Path
) -> None:
    page = visit(address)

    page.evaluate(DROP, ["broken.png", base64.b64encode(b"no picture").decode()])

    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "That file cannot be searched for: damaged or not a picture" in alert.inner_text()
    assert str(media) not in page.content()


def test_nothing_fits_is_said(visit: Visit, address: str) -> None:
    page = visit(f"{address}/?q=xyzzy+quux")

    page.wait_for_selector("text=Nothing fits.")
    assert page.locator(".weak .card").count()
    assert page.locator(".grid > .card").count() == page.locator(".weak .card").count()


def test_keys_lead_to_the_box_through_the_cards_and_open_one(visit: Visit, address: str) -> None:
    page = visit(f"{address}/?q=dog")
    page.wait_for_selector(".card")
    page.locator(".brand").focus()

    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.matches('.card .open')")
    first = page.evaluate("document.activeElement.ariaLabel")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"document.activeElement.ariaLabel != {first!r}")
    page.keyboard.press("Enter")
    page.wait_for_selector(".detail")
    page.keyboard.press("Escape")
    page.wait_for_selector(".detail", state="detached")

    page.keyboard.press("/")
    page.wait_for_function("document.activeElement.type == 'search'")
    assert page.get_by_label("Search words").input_value() == "dog"


def test_up_and_down_lead_to_the_card_that_lies_there(visit: Visit, address: str) -> None:
    page = visit(f"{address}/?q=dog", width=900)
    page.wait_for_selector(".card")
    page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
    here = "(() => { const at = document.activeElement.getBoundingClientRect();"
    here += " return [at.left, at.top + scrollY]; })()"
    page.locator(".card .open").nth(1).focus()
    left, top = page.evaluate(here)

    page.keyboard.press("ArrowDown")
    below = page.evaluate(here)
    page.keyboard.press("ArrowUp")

    assert below[1] > top + 50
    others = page.locator(".card .open").evaluate_all(
        "(all) => all.map((one) => one.getBoundingClientRect())"
        ".map((at) => [at.left, at.top + scrollY])"
    )
    row = [other for other in others if abs(other[1] - below[1]) < 4]
    assert min(abs(other[0] - left) for other in row) == abs(below[0] - left)
    assert not [other for other in others if top + 4 < other[1] < below[1] - 4]
    assert page.evaluate(here) == pytest.approx([left, top], abs=1)
