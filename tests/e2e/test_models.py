"""`unisearch models`: published weights from a hub or from files, until they answer questions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.e2e.commands import Command
from tests.models.hub import COMMIT, Hub
from tests.models.test_convert import FILE, NAME, heads
from tests.spaces.tiny import put_clip, tiny_models
from unisearch.models import install
from unisearch.models.convert import convert_here
from unisearch.models.known import KNOWN
from unisearch.spaces.table import SPACES
from unisearch.training import reference
from unisearch.world.library import make_library

CLIP = "clip-vit-b-32"
REPOSITORY = "openai/clip-vit-base-patch32"
#: sitecustomize of every process of a run: what leaves this machine is refused and written down.
WATCH = """
import os, sys

def watch(event, arguments):
    if event == "socket.connect":
        address = arguments[1]
        here = not isinstance(address, tuple) or address[0] in ("127.0.0.1", "::1", "localhost")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        here = arguments[0] in (None, "", "localhost", "127.0.0.1", "::1", b"localhost")
    else:
        return
    if not here:
        with open(os.environ["SEEN"], "a") as file:
            file.write(f"{event} {arguments}\\n")
        raise OSError("nothing may connect here")

sys.addaudithook(watch)
"""


#: Runs the verbs, then asks a server in the same process.
EVERYTHING = """
import json, sys
from unisearch.cli.main import run
from unisearch.training import reference

def served():
    from starlette.testclient import TestClient
    from unisearch.api.app import create_app
    from unisearch.api.service import Service
    from unisearch.config import load_settings

    with TestClient(create_app(Service(load_settings())), base_url="http://localhost") as client:
        found = client.post("/v1/search", json={"terms": [{"text": "a dog"}]})
        return [one.status_code for one in (found, client.get("/v1/status"))]

if __name__ == "__main__":
    reference.ROWS = 4
    codes = [run(line) for line in json.loads(sys.argv[1])]
    print(json.dumps([codes, served()]))
"""


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with a tiny CLIP in the files of the published one; backgrounds are small, too."""
    monkeypatch.setattr(reference, "ROWS", 4)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "published").mkdir()
    put_clip(tmp_path / "published")
    with Hub() as hub:
        hub.put(REPOSITORY, tmp_path / "published")
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("UNISEARCH_MODELS", os.fspath(tmp_path / "models"))
        yield hub


def test_a_pulled_space_finds_what_is_indexed_with_it(
    hub: Hub, tmp_path: Path, unisearch: Command
) -> None:
    make_library(tmp_path / "media", concepts=("dog", "car"), kinds=("pictures", "captions"))

    pulled = unisearch("models", "pull", "clip")

    assert pulled.code == 0, pulled.err
    assert f"{CLIP}: models/{CLIP}" in pulled.lines()
    assert pulled.lines()[-1] == "space clip: complete"
    manifest = json.loads((tmp_path / "models" / CLIP / "manifest.json").read_text())
    assert manifest["revision"] == {REPOSITORY: COMMIT}
    assert sorted(manifest["files"]) == [
        *("config.json", "model.safetensors", "preprocessor_config.json", "tokenizer.json"),
    ]
    report = unisearch("index", "media", "--json", space="clip").json()
    assert (report["failed"], report["counts"]["added"]) == ([], 4)
    found = unisearch("search", "a dog", "--json", "--no-names", space="clip").json()
    assert {hit["space"].split("-")[0] for hit in found["hits"]} == {"clip"}

    asked = len(hub.asked)
    again = unisearch("models", "pull", "clip")
    assert (again.code, len(hub.asked)) == (0, asked)
    assert unisearch("models", "verify", "clip").code == 0
    assert unisearch("models", "path", CLIP).out == os.fsencode(tmp_path / "models" / CLIP) + b"\n"

    weights = tmp_path / "models" / CLIP / "model.safetensors"
    before = weights.stat()
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))  # only reading it all tells
    assert "is damaged" in unisearch("doctor", space="clip").out.decode()
    broken = unisearch("models", "verify", CLIP, "--json")
    assert broken.code == 1
    assert "is damaged or of another model" in json.loads(broken.out)["models"][0]["state"]
    removed = unisearch("models", "remove", CLIP)
    assert removed.lines()[0].startswith(f"{CLIP}: removed, ")
    gone = unisearch("search", "a dog", space="clip")
    assert gone.code == 1
    assert f"unisearch models pull {CLIP}" in gone.err


def test_weights_that_do_not_fit_their_network_are_told(
    hub: Hub, tmp_path: Path, unisearch: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "convert", convert_here)
    config = json.loads(hub.files[f"{REPOSITORY}/config.json"])
    config["projection_dim"] = 20
    hub.files[f"{REPOSITORY}/config.json"] = json.dumps(config).encode()

    done = unisearch("models", "pull", CLIP)

    assert done.code == 1
    assert "it is of another size" in done.lines()[-1]
    assert f"'{CLIP}' is not installed: model.safetensors holds" in done.lines()[-1]
    assert not (tmp_path / "models" / CLIP).exists()


def test_the_list_tells_terms_sizes_and_what_is_complete(
    tmp_path: Path, unisearch: Command
) -> None:
    listed = unisearch("models", "list", "--json").json()

    by_name = {row["name"]: row for row in listed["models"]}
    assert by_name.keys() == KNOWN.keys()
    assert by_name["imagebind-huge"]["commercial"] is False
    assert by_name["imagebind-huge"]["accept_licence"] is True
    assert by_name[CLIP]["size_bytes"] == 4 * 151_277_313
    sizes = {name for name, row in by_name.items() if row["size_bytes"] is None}
    assert sizes == {"openclip"}  # up to the user
    assert by_name[CLIP]["quality"]["figures"]["COCO image-text"] == 40.24
    assert by_name["starter"]["installed"]
    spaces = {row["name"]: row for row in listed["spaces"]}
    assert spaces["starter"]["complete"]
    assert spaces["clip"]["missing"] == [CLIP]
    assert listed["free"]["ram_bytes"] > 0
    shown = unisearch("models", "list").out.decode()
    assert "commercial use" in shown
    assert "'?' is your file's" in shown
    assert "that of the file that you bring" in unisearch("models", "list", "openclip").out.decode()
    one = unisearch("models", "list", CLIP).out.decode()
    assert "openai/clip-vit-base-patch32" in one
    assert "40.24" in one


def test_every_model_of_a_space_is_known() -> None:
    for name, entry in SPACES.items():
        assert set(entry.models) <= KNOWN.keys(), name
        assert name not in KNOWN or name in entry.models


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("pull", "clpi"), 2, "unknown model 'clpi'; did you mean 'clip'?"),
        (("pull", "imagebind-huge"), 1, "say --accept-licence when you accept it"),
        (("pull", "starter"), 0, "starter: "),
        (("remove", "clip"), 1, "'clip' is a space; its models are: clip-vit-b-32"),
        (("list", "toy"), 2, "the space 'toy' has no weights"),
        (("remove", CLIP), 1, "there is no such model to remove"),
        (("remove", "starter"), 1, "'starter' ships with unisearch"),
        (("path", CLIP), 1, "no weights of the model 'clip-vit-b-32'"),
        (("import", CLIP, "."), 1, "'clip-vit-b-32' lacks model.safetensors or pytorch_model.bin"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    arguments: tuple[str, ...], code: int, words: str, unisearch: Command, tmp_path: Path
) -> None:
    done = unisearch("models", *arguments, models=os.fspath(tmp_path / "models"))

    assert done.code == code
    [line] = done.lines()
    assert words in line


def test_nothing_but_pull_connects_to_the_outside(tmp_path: Path) -> None:
    """The verbs and the server, with CLIP in transformers, where every attempt is seen."""
    make_library(tmp_path / "media", concepts=("dog",), kinds=("pictures", "captions"))
    tiny_models(tmp_path / "models", [CLIP])
    [picture] = (tmp_path / "media" / "pictures").iterdir()
    (tmp_path / "media" / "pairs.csv").write_text(f"text,image\na dog,pictures/{picture.name}\n")
    torch.save(heads(), tmp_path / FILE)
    (tmp_path / "sitecustomize.py").write_text(WATCH)
    seen = tmp_path / "seen"
    seen.touch()
    runs = [
        ["models", "list"],
        ["models", "import", NAME, FILE],
        ["models", "verify", "clip"],
        ["index", "media"],
        ["search", "a dog"],
        ["doctor"],
        ["embed", "media/captions/dog 01.txt", "--out", "one.npy"],
        ["evaluate", "clip", "media"],
        ["spaces", "list"],
        ["mcp"],
        ["models", "pull", "siglip2"],
    ]
    (tmp_path / "main.py").write_text(EVERYTHING)
    environment = {
        **{name: one for name, one in os.environ.items() if "proxy" not in name.lower()},
        "PYTHONPATH": os.fspath(tmp_path),
        "SEEN": os.fspath(seen),
        "UNISEARCH_SPACE": "clip",
        "UNISEARCH_INDEX__WORKERS": "1",
        "UNISEARCH_MODELS": os.fspath(tmp_path / "models"),
        "UNISEARCH_LIBRARY": os.fspath(tmp_path / "library"),
    }

    done = subprocess.run(
        [sys.executable, "main.py", json.dumps(runs)],
        cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False, timeout=600,
    )  # fmt: skip

    codes, statuses = json.loads(done.stdout.splitlines()[-1])
    assert codes == [0] * (len(runs) - 1) + [1], done.stderr
    assert statuses == [200, 200]
    attempts = seen.read_text().splitlines()
    assert len(attempts) == 1, attempts  # the watch works: only pull has tried
    assert "huggingface.co" in attempts[0]
    assert "cannot be reached: nothing may connect here" in done.stderr
