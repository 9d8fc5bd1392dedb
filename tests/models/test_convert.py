"""Published weights become safetensors; nothing but tensors is read; each misfit is one line."""

from __future__ import annotations

import argparse
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from unisearch.errors import WeightsError
from unisearch.models import convert as converting
from unisearch.models.convert import convert, convert_here, read_tensors
from unisearch.models.known import KNOWN, recognised

NAME, FILE = "cmcr-ulip-clip", "ulip_clip.pt"
State = dict[str, torch.Tensor]


def heads(size: int = 3) -> State:
    """Both heads of ulip_clip.pt, of a few numbers."""
    state: State = {}
    for head in ("Head_A", "Head_B"):
        state[f"{head}.net.0.weight"] = torch.arange(float(size * size)).view(size, size)
        for key in ("0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var"):
            state[f"{head}.net.{key}"] = torch.ones(size)
        state[f"{head}.net.1.num_batches_tracked"] = torch.tensor(7)
    return state


def put(folder: Path, content: Any, name: str = FILE) -> Path:
    torch.save(content, folder / name)
    return folder / name


def converted(folder: Path, path: Path, name: str = NAME, official: str = FILE) -> State:
    (folder / "out").mkdir(exist_ok=True)
    convert_here(name, {official: path}, folder / "out")
    return load_file(folder / "out" / "model.safetensors")


def refusal(folder: Path, path: Path, name: str = NAME, official: str = FILE) -> str:
    """The one line, which names the file."""
    with pytest.raises(WeightsError) as caught:
        converted(folder, path, name, official)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list((folder / "out").iterdir())
    return str(caught.value)


class Code:
    """What a pickle may hold: a call that is made when it is read."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.proof}",)


def test_a_process_of_its_own_converts_and_the_same_file_gives_the_same_bytes(
    tmp_path: Path,
) -> None:
    path = put(tmp_path, heads())
    (tmp_path / "a").mkdir()

    convert(NAME, {FILE: path}, tmp_path / "a")
    here = converted(tmp_path, path)

    assert here.keys() == heads().keys()
    first, second = (tmp_path / one / "model.safetensors" for one in ("a", "out"))
    assert first.read_bytes() == second.read_bytes()
    with safe_open(first, "pt") as file:
        assert file.metadata() == {"format": "pt"}


def test_code_in_a_pickle_is_refused_and_does_not_run(tmp_path: Path) -> None:
    proof = tmp_path / "it-ran"
    path = put(tmp_path, {**heads(), "note": Code(proof)})

    with pytest.raises(WeightsError, match=r"holds code or objects \('posix.system'\) beside tens"):
        convert(NAME, {FILE: path}, tmp_path)

    assert not proof.exists()
    torch.load(path, weights_only=False)  # what would have happened
    assert proof.exists()


def test_training_checkpoints_are_unwrapped(tmp_path: Path) -> None:
    path = put(tmp_path, {"epoch": 3, "state_dict": heads(), "optimizer": {"state": {}}})

    assert converted(tmp_path, path).keys() == heads().keys()


def test_old_files_that_are_no_archives_are_read(tmp_path: Path) -> None:
    torch.save(heads(), tmp_path / FILE, _use_new_zipfile_serialization=False)

    assert converted(tmp_path, tmp_path / FILE).keys() == heads().keys()


def test_a_file_that_already_is_safetensors_is_taken_whatever_its_name(tmp_path: Path) -> None:
    save_file(heads(), tmp_path / FILE)

    assert converted(tmp_path, tmp_path / FILE).keys() == heads().keys()


def test_tensors_that_share_memory_are_written_each_for_itself(tmp_path: Path) -> None:
    state = heads()
    wide = torch.arange(6.0)
    state["Head_A.net.0.bias"], state["Head_B.net.0.bias"] = wide[:3], wide[3:]
    state["Head_A.net.0.weight"] = state["Head_A.net.0.weight"].t()

    found = converted(tmp_path, put(tmp_path, state))

    assert found["Head_B.net.0.bias"].tolist() == [3.0, 4.0, 5.0]
    assert found["Head_A.net.0.weight"].tolist() == state["Head_A.net.0.weight"].tolist()


def test_what_lacks_or_is_too_much_or_misshapen_is_named(tmp_path: Path) -> None:
    lacking, more, other = heads(), heads(), heads()
    del lacking["Head_B.net.0.bias"]
    more["Head_C.net.0.bias"] = torch.zeros(3)
    other["Head_A.net.0.weight"] = torch.zeros(9)

    for state, words in (
        (lacking, "lacks the tensor 'Head_B.net.0.bias'"),
        (more, "holds a tensor 'Head_C.net.0.bias' too many"),
        (other, "'Head_A.net.0.weight' has the shape (9,)"),
    ):
        assert words in refusal(tmp_path, put(tmp_path, state))


def test_a_file_of_another_model_is_recognised(tmp_path: Path) -> None:
    music = put(tmp_path, {"module.audio_projection.0.weight": torch.zeros(512, 1024)}, "m.pt")

    words = refusal(tmp_path, music, "clap-630k-fusion", "630k-fusion-best.pt")

    assert "is of the model 'clap-music-speech', not of 'clap-630k-fusion'" in words


def test_marks_tell_all_models_apart() -> None:
    for name, known in KNOWN.items():
        if known.marks:
            assert recognised(known.marks) == [name]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
@pytest.mark.parametrize("archive", [True, False])
def test_a_file_that_is_cut_off_is_one_line(tmp_path: Path, share: float, archive: bool) -> None:
    path = tmp_path / FILE
    torch.save(heads(), path, _use_new_zipfile_serialization=archive)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])

    assert "cut off" in refusal(tmp_path, path) or "damaged" in refusal(tmp_path, path)


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"\x80\x02.", bytes(4096)])
def test_what_is_no_weights_at_all_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)

    refusal(tmp_path, tmp_path / FILE)


def test_safetensors_that_are_cut_off_are_one_line(tmp_path: Path) -> None:
    save_file(heads(), tmp_path / FILE)
    (tmp_path / FILE).write_bytes((tmp_path / FILE).read_bytes()[:-10])

    assert "is damaged or cut off" in refusal(tmp_path, tmp_path / FILE)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([torch.zeros(1)], "holds no tensors by name, but a list"),
        ({}, "holds no tensors by name"),
        ({"epoch": 3}, "'epoch' is no tensor, but a int"),
    ],
)
def test_what_is_no_state_dict_is_said(tmp_path: Path, content: Any, words: str) -> None:
    assert words in refusal(tmp_path, put(tmp_path, content))


def test_a_program_is_not_weights(tmp_path: Path) -> None:
    with zipfile.ZipFile(put(tmp_path, heads()), "a") as archive:
        archive.writestr("ulip_clip/constants.pkl", b"")  # by that torch.load tells it

    assert "TorchScript program" in refusal(tmp_path, tmp_path / FILE)


def test_settings_of_a_training_are_read_where_they_are_published_and_nowhere_else(
    tmp_path: Path,
) -> None:
    args = argparse.Namespace(model="ULIP_PointBERT", lr=0.1, betas=(0.9, 0.98))
    path = put(tmp_path, {"state_dict": heads(), "args": args})

    assert read_tensors(path, KNOWN["ulip2-pointbert"].pickled).keys() == heads().keys()
    assert "argparse.Namespace" in refusal(tmp_path, path)


def test_no_other_class_hides_in_such_settings(tmp_path: Path) -> None:
    proof = tmp_path / "it-ran"
    args = argparse.Namespace(model=Code(proof))
    path = put(tmp_path, {"state_dict": heads(), "args": args})

    with pytest.raises(WeightsError, match=r"posix.system"):
        read_tensors(path, KNOWN["ulip2-pointbert"].pickled)

    assert not proof.exists()


@pytest.mark.parametrize("value", [np.float64(0.5), np.float32(0.5), np.int64(3)])
def test_figures_of_numpy_are_read_where_they_are_published(tmp_path: Path, value: Any) -> None:
    path = put(tmp_path, {"state_dict": heads(), "best": value})

    assert read_tensors(path, KNOWN["clap-630k-fusion"].pickled).keys() == heads().keys()
    assert "numpy" in refusal(tmp_path, path)


def test_a_process_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converting, "LIMIT_S", 0.02)

    with pytest.raises(WeightsError, match=rf"{FILE}: took longer than 0 s"):
        convert(NAME, {FILE: put(tmp_path, heads())}, tmp_path)


def test_a_process_that_dies_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: Mapping[str, Any]) -> None:
        os.kill(os.getpid(), 9)

    monkeypatch.setattr(converting, "_child", killed)

    context = converting.multiprocessing.get_context("fork")
    monkeypatch.setattr(converting.multiprocessing, "get_context", lambda _: context)
    with pytest.raises(WeightsError, match="was ended by SIGKILL; is there enough memory"):
        convert(NAME, {FILE: put(tmp_path, heads())}, tmp_path)
