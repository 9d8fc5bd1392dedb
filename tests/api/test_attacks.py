"""What strangers send: refused with 4xx, the server lives on, and nothing outside of the library's
folders is read."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import os
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from indexer import Indexer
from tests.api.conftest import BASE
from tests.indexer.conftest import picture, sound, text
from unisearch.api import guard, session
from unisearch.api.app import create_app
from unisearch.api.service import Service
from unisearch.config import Settings
from unisearch.sections import IndexSettings, LimitSettings, ServerSettings

SECRET = "a-secret-that-nobody-may-read"
TOKEN = "a-token"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("attacked")


@pytest.fixture(scope="module")
def victim(folder: Path) -> Settings:
    """A library beside a secret; small limits, so that no attack takes long."""
    text(folder / "secret" / "secret.txt", SECRET)
    media = folder / "media"
    text(media / "inside" / "note.txt", "The lighthouse stands on a rock")
    text(media / "linked.txt", "A file that will be replaced by a link")
    picture(media / "beach.png", 1)
    (media / "page.png").write_bytes(polyglot())
    text(media / 'odd"\r\nX-Injected: 1\r\n.txt', "A name that holds a header")
    settings = Settings(
        library=folder / "library",
        space="toy",
        server=ServerSettings(upload_mb=2, upload_seconds=2.0, requests_per_minute=0),
        limits=LimitSettings(megapixels=1, triangles=1_000, text_mb=1, file_mb=4),
        index=IndexSettings(workers=2, timeout_s=20),
    )
    Indexer(settings=settings).run([media])
    return settings


@pytest.fixture(scope="module")
def target(victim: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(Service(victim)), base_url=BASE) as client:
        yield client


@pytest.fixture(autouse=True)
def lives_on(target: TestClient) -> Iterator[None]:
    """After each attack the server answers, and answers right."""
    yield
    answer = target.post("/v1/search", json={"terms": [{"text": "lighthouse"}], "into": ["text"]})
    assert answer.status_code == 200
    assert answer.json()["hits"][0]["path"].endswith("note.txt")


def polyglot() -> bytes:
    """A picture that is a page as well."""
    page = b"tEXt<html><script>alert(1)</script></html>"
    chunk = struct.pack(">I", len(page) - 4) + page + struct.pack(">I", zlib.crc32(page))
    return png(2, 2, chunk)


def png(width: int, height: int, more: bytes = b"", body: bytes | None = None) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    rows = zlib.compress(b"\0" * ((width + 1) * height)) if body is None else body
    return b"\x89PNG\r\n\x1a\n" + head + more + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def items(client: TestClient) -> dict[str, dict[str, Any]]:
    """The items by their names."""
    return {Path(item["path"]).name: item for item in client.get("/v1/items").json()["items"]}


def upload(client: TestClient, name: str, content: bytes) -> Any:
    return client.post("/v1/search/files", files={"files": (name, content)})


def refused(answer: Any, *statuses: int) -> None:
    assert answer.status_code in statuses, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert SECRET not in answer.text


@pytest.mark.parametrize("id", [
    "../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%00", "1/../../x", "0", "-1", "1e3", "９",
    str(2**63), "9" * 400, "x" * 5_000,
])  # fmt: skip
def test_path_traversal_in_ids(target: TestClient, id: str) -> None:
    for path in (
        f"/v1/items/{id}",
        f"/v1/items/{id}/content",
        f"/v1/saved/{id}",
        f"/v1/index/{id}",
    ):
        answer = target.delete(path) if "saved" in path else target.get(path)
        refused(answer, 404, 405, 422)


@pytest.mark.parametrize("name", [
    "../../../../tmp/x.png", "/etc/passwd.png", "a\0b.png", "..", "", "x" * 3_000 + ".png",
    "C:\\windows\\x.png", "a/../../b.txt",
])  # fmt: skip
def test_path_traversal_in_file_names(
    target: TestClient, name: str, folder: Path, tmp_path: Path
) -> None:
    before = {path for path in folder.rglob("*") if "library" not in path.parts}

    answer = upload(target, name, (folder / "media" / "beach.png").read_bytes())

    assert answer.status_code in (200, 400, 415, 422)
    assert {path for path in folder.rglob("*") if "library" not in path.parts} == before


def test_symlink_escape_of_a_file(target: TestClient, folder: Path) -> None:
    item = items(target)["linked.txt"]
    (folder / "media" / "linked.txt").unlink()
    (folder / "media" / "linked.txt").symlink_to(folder / "secret" / "secret.txt")

    refused(target.get(f"/v1/items/{item['item']}/content"), 410)


def test_symlink_escape_of_a_folder_on_the_way(target: TestClient, folder: Path) -> None:
    item = items(target)["note.txt"]
    text(folder / "secret" / "note.txt", SECRET)
    (folder / "media" / "inside").rename(folder / "media" / "aside")
    (folder / "media" / "inside").symlink_to(folder / "secret")
    try:
        refused(target.get(f"/v1/items/{item['item']}/content"), 410)
    finally:
        (folder / "media" / "inside").unlink()
        (folder / "media" / "aside").rename(folder / "media" / "inside")


def test_a_pipe_or_a_device_in_the_place_of_a_file(target: TestClient, folder: Path) -> None:
    file = folder / "media" / "beach.png"
    item, content = items(target)["beach.png"], file.read_bytes()
    file.unlink()
    os.mkfifo(file)
    try:
        refused(target.get(f"/v1/items/{item['item']}/content"), 410)
    finally:
        file.unlink()
        file.write_bytes(content)


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "",
                                  "localhost@evil.example", "evil.example:80"])  # fmt: skip
def test_dns_rebinding_by_the_host_header(target: TestClient, host: str) -> None:
    refused(target.get("/v1/items", headers={"Host": host}), 421)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example",
                                    "http://localhost:1", "file://"])  # fmt: skip
def test_a_page_of_another_site(target: TestClient, origin: str) -> None:
    refused(target.post("/v1/index", json={}, headers={"Origin": origin}), 403)
    assert target.get("/v1/index").json() == []


def test_an_oversized_upload_that_says_so(target: TestClient) -> None:
    refused(upload(target, "x.png", bytes(2_100_000)), 413)


def test_an_oversized_upload_in_chunks(target: TestClient) -> None:
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(64):
            sent += 1
            yield bytes(100_000)

    refused(target.post("/v1/search", content=body()), 413)


@pytest.mark.parametrize("length", ["-1", "1e9", "abc", "1,1"])
def test_a_content_length_that_is_none(target: TestClient, length: str) -> None:
    headers = {"Content-Length": length, "Content-Type": "application/json"}
    refused(target.post("/v1/search", content=b"{}", headers=headers), 400)


def test_a_zip_bomb_in_3mf(target: TestClient) -> None:
    file = io.BytesIO()
    archive = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
    with archive, archive.open("3D/3dmodel.model", "w") as model:
        model.write(b"<model><resources>")
        for _ in range(64):
            model.write(b" " * 1_000_000)
    refused(upload(target, "bomb.3mf", file.getvalue()), 413, 422)


def test_a_pixel_bomb(target: TestClient) -> None:
    refused(
        upload(target, "bomb.png", png(60_000, 60_000, body=zlib.compress(bytes(10_000)))), 413, 422
    )


def test_a_model_of_too_many_triangles(target: TestClient) -> None:
    faces = b"v 0 0 0\nv 1 0 0\nv 0 1 0\n" + b"f 1 2 3\n" * 2_000
    refused(upload(target, "bomb.obj", faces), 413, 422)


def test_a_text_that_is_too_long(target: TestClient) -> None:
    refused(upload(target, "long.txt", b"word " * 300_000), 413, 422)


@pytest.mark.parametrize("uri", ["/etc/passwd", "../secret/secret.txt", "file:///etc/passwd",
                                 "http://127.0.0.1:1/x.bin"])  # fmt: skip
def test_a_gltf_with_outside_uris(target: TestClient, uri: str) -> None:
    model = {
        "asset": {"version": "2.0"},
        "buffers": [{"uri": uri, "byteLength": 36}],
        "bufferViews": [{"buffer": 0, "byteLength": 36}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "nodes": [{"mesh": 0}],
        "scenes": [{"nodes": [0]}],
        "scene": 0,
    }
    refused(upload(target, "x.gltf", json.dumps(model).encode()), 415, 422)


def test_a_polyglot_is_no_page(target: TestClient) -> None:
    item = items(target)["page.png"]

    answer = target.get(f"/v1/items/{item['item']}/content")

    assert answer.status_code == 200
    assert b"<script>" in answer.content
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


def test_a_header_in_a_file_name(target: TestClient) -> None:
    [item] = [one for name, one in items(target).items() if name.startswith("odd")]

    answer = target.get(f"/v1/items/{item['item']}/content")

    assert "x-injected" not in answer.headers
    assert answer.headers["content-disposition"].endswith("odd%22%0D%0AX-Injected%3A%201%0D%0A.txt")


@pytest.mark.parametrize("name", ['x".png', "x\r\nContent-Type: text/html\r\n\r\n<html>.png"])
def test_a_header_in_the_name_of_an_upload(target: TestClient, name: str, folder: Path) -> None:
    answer = upload(target, name, (folder / "media" / "beach.png").read_bytes())

    assert answer.status_code in (200, 400, 422)
    assert answer.headers["content-type"] in ("application/json", "application/problem+json")


def vector(values: list[Any]) -> bytes:
    return json.dumps({"terms": [{"vector": values, "modality": "image"}]}).encode()


@pytest.mark.parametrize("values", [
    [float("nan")] * 64, [float("inf")] * 64, [1e308] * 64, [0.0] * 64, [1.0], [], [0.1] * 8_193,
    ["1"] * 64, [[1.0]], [None] * 64,
])  # fmt: skip
def test_vectors_that_are_none(target: TestClient, values: list[Any]) -> None:
    headers = {"Content-Type": "application/json"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of numbers that single precision does not hold
        refused(target.post("/v1/search", content=vector(values), headers=headers), 400, 422)


def test_ten_thousand_terms(target: TestClient) -> None:
    many = {"terms": [{"text": "dog"}] * 10_000}
    refused(target.post("/v1/search", json=many), 422)
    refused(target.post("/v1/search/batch", json={"questions": [many]}), 422)
    refused(target.post("/v1/search", json={"terms": [{"text": "dog " * 10_000}]}), 422)


@pytest.mark.parametrize(
    "words", ["\0", "\ud800", '"' * 900, "* OR NEAR(", "'; DROP TABLE items; --"]
)
def test_words_that_are_an_attack_on_the_full_text(target: TestClient, words: str) -> None:
    body = json.dumps({"terms": [{"text": words}]})
    answer = target.post("/v1/search", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (200, 400, 422), answer.text


@pytest.mark.parametrize("where", [
    "(" * 1_900, "not " * 450 + "size > 1", "size > 1 or " * 150 + "size > 1",
    "1; drop table items", "\0", "size > 1e999",
])  # fmt: skip
def test_filters_that_are_an_attack(target: TestClient, where: str) -> None:
    answer = target.post("/v1/search", json={"terms": [{"text": "dog"}], "where": where})
    assert answer.status_code in (200, 400, 422), answer.text


def test_deep_json(target: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    for deep in (
        b"[" * 200_000,
        b'{"terms":' * 100_000,
        b'{"terms":[' + b"[" * 900 + b"]" * 900 + b"]}",
    ):
        refused(target.post("/v1/search", content=deep, headers=headers), 400, 422)


def test_names_of_fields_that_are_no_unicode(target: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    refused(target.post("/v1/search", content=b'{"\\ud800": 1}', headers=headers), 422)


def test_a_compressed_body_is_not_unpacked(target: TestClient) -> None:
    bomb = zlib.compress(b" " * 50_000_000)
    headers = {"Content-Type": "application/json", "Content-Encoding": "deflate"}
    refused(target.post("/v1/search", content=bomb, headers=headers), 400, 415, 422)


def test_a_form_of_thousands_of_parts(target: TestClient) -> None:
    files = [("files", (f"{n}.png", b"x")) for n in range(1_500)]
    refused(target.post("/v1/search/files", files=files), 400, 422)
    fields = {f"field{n}": "x" for n in range(2_000)}
    refused(target.post("/v1/search/files", data=fields, files=files[:1]), 400, 422)


@pytest.mark.parametrize("content", [b"", b"\0" * 5_000, b"#EXTM3U\nhttp://127.0.0.1:1/x.ts\n",
                                     b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0"])  # fmt: skip
@pytest.mark.parametrize("name", ["x.wav", "x.mp4", "x.png", "x.glb", "x.unknown"])
def test_files_that_are_none(target: TestClient, name: str, content: bytes) -> None:
    refused(upload(target, name, content), 400, 413, 415, 422)


def test_a_long_sound_is_listened_to_only_so_far(target: TestClient, tmp_path: Path) -> None:
    """Sounds that begin alike are the same to who hears two seconds of them."""
    long = sound(tmp_path / "long.wav", 30, 7).read_bytes()
    longer = sound(tmp_path / "longer.wav", 60, 7).read_bytes()
    other = sound(tmp_path / "other.wav", 30, 8).read_bytes()

    answers = [upload(target, "x.wav", content).json()["hits"] for content in (long, longer, other)]

    assert answers[0] == answers[1]
    assert answers[0] != answers[2]


def test_token_guessing_is_refused_and_slowed(
    victim: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "time", SimpleNamespace(monotonic=lambda: 0.0))  # it stands still
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    server = ServerSettings(token_sha256=digest, requests_per_minute=20)
    settings = victim.model_copy(update={"server": server})
    with TestClient(create_app(Service(settings)), base_url=BASE) as client:
        good = client.get("/v1/items", headers={"Authorization": f"Bearer {TOKEN}"})
        assert good.status_code == 200
        guesses = ["", "Bearer", f"Basic {TOKEN}", f"Bearer {digest}", "Bearer \xff", TOKEN,
                   f"Bearer {TOKEN}x", "Bearer " + "x" * 10_000]  # fmt: skip
        for guess in guesses:
            answer = client.get("/v1/items", headers={"Authorization": guess.encode("latin-1")})
            refused(answer, 401)
            assert answer.headers["www-authenticate"] == "Bearer"
        statuses = {client.get("/v1/items").status_code for _ in range(40)}
        slowed = client.get("/v1/items", headers={"Authorization": "Bearer guess"})

    assert statuses == {401, 429}
    assert int(slowed.headers["retry-after"]) >= 1


def test_every_guess_of_the_token_is_compared_in_constant_time(
    victim: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    settings = victim.model_copy(update={"server": ServerSettings(token_sha256=digest)})
    compared: list[tuple[str, str]] = []

    def compare(found: str, wanted: str) -> bool:
        compared.append((found, wanted))
        return hmac.compare_digest(found, wanted)

    monkeypatch.setattr(session, "hmac", SimpleNamespace(compare_digest=compare))
    guesses = ["", "a", TOKEN[:-1], TOKEN, TOKEN * 500, "\xff"]
    with TestClient(create_app(Service(settings)), base_url=BASE) as client:
        for guess in guesses:
            bearer = f"Bearer {guess}".encode("latin-1")
            answer = client.get("/v1/items", headers={"Authorization": bearer})
            assert answer.status_code == (200 if guess == TOKEN else 401)

    # How far a guess is right shows nowhere: only its digest is looked at, by a function whose
    # time depends on the length alone, and that is always the same.
    assert len(compared) == len(guesses)
    assert {len(text) for pair in compared for text in pair} == {len(digest)}
    assert {wanted for _, wanted in compared} == {digest}


def test_a_token_is_asked_for_before_anything_is_read(victim: Settings) -> None:
    server = ServerSettings(token_sha256="0" * 64)
    settings = victim.model_copy(update={"server": server})
    with TestClient(create_app(Service(settings)), base_url=BASE) as client:
        for path in ("/v1/items", "/v1/openapi.json", "/metrics", "/v1/nothing", "/v1/events"):
            refused(client.get(path), 401)
        refused(client.post("/v1/search/files", content=b"x" * 100), 401)
        assert client.get("/health").json() == {"status": "ok"}


def test_what_is_not_there_is_refused_by_any_name(target: TestClient) -> None:
    for path in (
        "/v1/items/1" + "0" * 17,
        "/v1//items",
        "/%2e%2e/etc/passwd",
    ):
        assert target.get(path).status_code in (404, 405, 422)
