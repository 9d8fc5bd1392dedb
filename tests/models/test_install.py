"""A model is there whole or not at all; files are known by name, and each misfit is one line."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.models.hub import COMMIT, Hub
from tests.models.test_convert import FILE, NAME, heads
from unisearch.errors import WeightsError
from unisearch.models import fetch as fetching
from unisearch.models import install as installing
from unisearch.models.bring import bring
from unisearch.models.convert import convert_here
from unisearch.models.find import find_weights, read_manifest
from unisearch.models.install import incoming, remove
from unisearch.models.known import KNOWN, Source
from unisearch.models.pull import pull

REPOSITORY = "org/heads"


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Conversion has tests of its own; a new process for each of these would take seconds."""
    monkeypatch.setattr(installing, "convert", convert_here)
    monkeypatch.setattr(fetching, "PAUSES_S", ())
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """The heads of C-MCR in a repository of the hub, in a folder and with other files."""
    torch.save(heads(), tmp_path / FILE)
    source = Source(REPOSITORY, KNOWN[NAME].files)
    monkeypatch.setitem(KNOWN, NAME, _with(KNOWN[NAME], sources=(source,)))
    with Hub() as hub:
        hub.files[f"{REPOSITORY}/checkpoints/{FILE}"] = (tmp_path / FILE).read_bytes()
        hub.files[f"{REPOSITORY}/README.md"] = b"words"
        yield hub


def _with(known: Any, **changed: Any) -> Any:
    return type(known)(**{**vars(known), **changed})


def pulled(hub: Hub, models: Path, name: str = NAME, accepted: bool = False) -> Path:
    return pull(
        name, models, hub=hub.url, accepted=accepted,
        say=lambda line: None, progress=lambda file, done, total: None,
    )  # fmt: skip


def brought(models: Path, *given: Path, name: str = NAME, accepted: bool = False) -> list[str]:
    """What is said while the model is imported."""
    said: list[str] = []
    bring(name, models, given, accepted=accepted, say=said.append)
    return said


def left(models: Path) -> list[str]:
    """What lies in the place where models are put together, but for locks."""
    found = (models / ".incoming").rglob("*")
    return [str(path) for path in found if path.suffix != ".lock"]


def test_a_pulled_model_says_whence_it_came_and_under_which_terms(hub: Hub, tmp_path: Path) -> None:
    folder = pulled(hub, tmp_path / "models")

    assert find_weights(NAME, [tmp_path / "models"]) == folder
    manifest = read_manifest(folder)
    assert list(manifest["files"]) == ["model.safetensors"]
    assert manifest["source"] == REPOSITORY
    assert manifest["revision"] == {REPOSITORY: COMMIT}
    assert (manifest["licence"], manifest["commercial"]) == (KNOWN[NAME].licence.text, True)
    assert list(manifest["official"]) == [FILE]
    assert left(tmp_path / "models") == []
    assert f"/{REPOSITORY}/resolve/{COMMIT}/checkpoints/{FILE}" in [path for path, _ in hub.asked]


def test_a_mirror_without_lists_is_asked_for_the_official_name(hub: Hub, tmp_path: Path) -> None:
    hub.listing = False
    hub.files[f"{REPOSITORY}/{FILE}"] = hub.files[f"{REPOSITORY}/checkpoints/{FILE}"]

    assert read_manifest(pulled(hub, tmp_path / "models"))["revision"] == {REPOSITORY: COMMIT}


def test_a_file_that_the_publisher_has_taken_away_is_one_line(hub: Hub, tmp_path: Path) -> None:
    del hub.files[f"{REPOSITORY}/checkpoints/{FILE}"]

    with pytest.raises(WeightsError, match=f"has no {FILE}; has its publisher moved it"):
        pulled(hub, tmp_path / "models")


def test_a_stopped_pull_is_no_model_and_goes_on(hub: Hub, tmp_path: Path) -> None:
    hub.break_after = [4_000]
    with pytest.raises(WeightsError, match="run it again to go on from there"):
        pulled(hub, tmp_path / "models")
    with pytest.raises(WeightsError, match="no weights of the model"):
        find_weights(NAME, [tmp_path / "models"])

    assert pulled(hub, tmp_path / "models").is_dir()
    assert hub.sent(FILE)[-1] == "bytes=4000-"


def test_weights_that_do_not_fit_leave_the_old_model_as_it_was(hub: Hub, tmp_path: Path) -> None:
    folder = pulled(hub, tmp_path / "models")
    before = read_manifest(folder)
    torch.save({"other": torch.zeros(1)}, tmp_path / FILE)

    with pytest.raises(WeightsError, match=f"{tmp_path / FILE}: lacks the tensor"):
        brought(tmp_path / "models", tmp_path / FILE)

    assert read_manifest(find_weights(NAME, [tmp_path / "models"])) == before
    assert left(tmp_path / "models") == [str(tmp_path / "models" / ".incoming" / NAME)]


def test_a_kill_between_the_two_renames_loses_no_model(hub: Hub, tmp_path: Path) -> None:
    folder = pulled(hub, tmp_path / "models")
    aside = folder.rename(tmp_path / "models" / ".incoming" / f"{NAME}.old")
    assert find_weights(NAME, [tmp_path / "models"]) == aside

    with incoming(tmp_path / "models", NAME, lambda line: None):
        assert find_weights(NAME, [tmp_path / "models"]) == folder


def test_a_second_process_waits_for_the_first(hub: Hub, tmp_path: Path) -> None:
    said: list[str] = []
    waits, done = threading.Event(), threading.Event()

    def second() -> None:
        def say(line: str) -> None:
            said.append(line)
            waits.set()

        with incoming(tmp_path, NAME, say):
            done.set()

    thread = threading.Thread(target=second)
    with incoming(tmp_path, NAME, lambda line: None):
        thread.start()
        assert waits.wait(60)
        assert not done.is_set()
    thread.join(60)

    assert done.is_set()
    assert said == [f"another unisearch is busy with '{NAME}': waiting for it"]


def test_licences_that_ask_for_it_are_accepted_first(hub: Hub, tmp_path: Path) -> None:
    for name in ("imagebind-huge", "ulip2-pointbert", "freebind-ib-pp"):
        with pytest.raises(WeightsError, match=f"the licence of '{name}' is.*--accept-licence"):
            pulled(hub, tmp_path / "models", name)
        with pytest.raises(WeightsError, match="--accept-licence"):
            brought(tmp_path / "models", tmp_path / FILE, name=name)
    assert hub.asked == []
    licence = _with(KNOWN[NAME].licence, accept=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(KNOWN, NAME, _with(KNOWN[NAME], licence=licence))

        folder = pulled(hub, tmp_path / "models", accepted=True)

    assert read_manifest(folder)["accepted_at"]


def test_a_model_without_a_lasting_address_says_how_to_get_it(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="unisearch models import msclip-s-b32 FILE"):
        pulled(hub, tmp_path, "msclip-s-b32", accepted=True)


def test_files_are_imported_by_their_official_names_from_folders_too(
    hub: Hub, tmp_path: Path
) -> None:
    (tmp_path / "here" / "deep").mkdir(parents=True)
    (tmp_path / "here" / "README.md").write_text("words")
    (tmp_path / FILE).rename(tmp_path / "here" / "deep" / FILE)

    said = brought(tmp_path / "models", tmp_path / "here")

    assert said == [f"converting {NAME}"]
    manifest = read_manifest(find_weights(NAME, [tmp_path / "models"]))
    assert manifest["source"] == f"imported from {tmp_path / 'here'}"
    assert hub.asked == []


def test_the_only_file_may_have_another_name(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / FILE).rename(tmp_path / "mine.bin")

    said = brought(tmp_path / "models", tmp_path / "mine.bin")

    assert said[0] == f"{tmp_path / 'mine.bin'} is taken for {FILE}; its tensors will tell"
    assert read_manifest(tmp_path / "models" / NAME)["official"].keys() == {FILE}


def test_files_that_look_the_same_need_their_names(tmp_path: Path) -> None:
    torch.save(heads(), tmp_path / "one.pt")
    torch.save(heads(), tmp_path / "ex_clap.pt")

    with pytest.raises(WeightsError, match=r"lacks ex_clap.pt, ex_ulip.pt .*could be any of them"):
        brought(tmp_path / "models", tmp_path / "one.pt", name="exmcr-heads")
    with pytest.raises(WeightsError, match=r"'exmcr-heads' lacks ex_ulip.pt \(of https://github"):
        brought(tmp_path / "models", tmp_path / "ex_clap.pt", name="exmcr-heads")


def test_what_is_no_file_of_the_model_is_named(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("words")

    for given, words in (
        ([tmp_path / FILE, tmp_path / "notes.txt"], f"notes.txt: is no file of '{NAME}', which"),
        ([tmp_path / "nothing.pt"], "nothing.pt: there is no such file"),
        ([tmp_path / "notes.txt"], f"'{NAME}' lacks {FILE}"),
    ):
        with pytest.raises(WeightsError, match=words):
            brought(tmp_path / "models", *given)


def test_the_seven_parts_of_an_ensemble_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    from unisearch.models.bring import assign

    wanted = KNOWN["freebind-drvt"].files
    for one in wanted:
        path = tmp_path / "checkpoints" / one.name
        path.parent.mkdir(parents=True)
        path.write_bytes(b"")

    found = assign("freebind-drvt", wanted, [tmp_path / "checkpoints"], lambda line: None)

    assert found == {one.name: tmp_path / "checkpoints" / one.name for one in wanted}
    assert list(found)[:2] == ["InternVL_IB_Proj/mix/best.pt", "InternVL_IB_Proj/A/best.pt"]


def test_a_large_model_is_the_files_that_its_index_lists(hub: Hub, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    from unisearch.models.known import Wanted

    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    here = tmp_path / "here"
    here.mkdir()
    (here / "model.safetensors.index.json").write_text(json.dumps(index))
    for key, file in index["weight_map"].items():
        save_file({key: torch.ones(2)}, here / file)
    (here / "code.py").write_text("1")
    files = (Wanted(("model.safetensors.index.json",)), Wanted(("*.py",), optional=True))
    known = _with(KNOWN["siglip2-base"], sources=(Source("org/large", files),))
    hub.put("org/large", here)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(KNOWN, "siglip2-base", known)
        folder = pulled(hub, tmp_path / "a", "siglip2-base")
        brought(tmp_path / "b", here, name="siglip2-base")

    for models in ("a", "b"):
        manifest = read_manifest(find_weights("siglip2-base", [tmp_path / models]))
        assert list(manifest["files"]) == ["code.py", "model.safetensors"]
    assert (folder / "code.py").read_text() == "1"
    (here / "model-2.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"model-2.safetensors: is not there, and .* lists it"):
        brought(tmp_path / "b", here, name="internvl-c", accepted=True)


def test_a_removed_model_leaves_nothing(hub: Hub, tmp_path: Path) -> None:
    models = tmp_path / "models"
    folder = pulled(hub, models)
    size = sum(path.stat().st_size for path in folder.iterdir())

    assert remove(NAME, models, lambda line: None) == size
    assert not folder.exists()
    assert left(models) == []
    with pytest.raises(WeightsError, match="there is no such model to remove"):
        remove(NAME, models, lambda line: None)


def test_a_kill_while_a_model_is_removed_does_not_bring_half_of_it_back(
    hub: Hub, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    folder = pulled(hub, models)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(installing.shutil, "rmtree", _killed)
        with pytest.raises(KeyboardInterrupt):
            remove(NAME, models, lambda line: None)

    with incoming(models, NAME, lambda line: None):
        assert not folder.exists()
    assert left(models) == [str(models / ".incoming" / NAME)]


def _killed(folder: Path, **_: object) -> None:
    if folder.is_dir():
        (folder / "model.safetensors").unlink()
        raise KeyboardInterrupt


def test_a_folder_that_cannot_be_written_is_one_line(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")

    with pytest.raises(WeightsError, match="cannot be written"):
        pulled(hub, tmp_path / "models")
