"""Parity fixtures are found wherever they lie, and their weights are drawn again exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.parity import rule, sets


def files(parameters: list[Any]) -> list[str]:
    return [parameter.values[0].file.name for parameter in parameters if parameter.values[0]]


def reasons(parameters: list[Any]) -> list[str]:
    return [mark.kwargs["reason"] for parameter in parameters for mark in parameter.marks]


def test_without_an_outside_set_the_list_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sets, "OUTSIDE", [])

    found = sets.fixtures("exmcr/ex_*.npz")

    assert files(found) == ["ex_clap_A.npz", "ex_ulip_A.npz"]
    assert reasons(found) == ["not run: set UNISEARCH_PARITY"]


def test_an_outside_set_of_another_letter_is_added(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "exmcr").mkdir()
    np.savez(tmp_path / "exmcr" / "ex_new_B.npz", input=np.ones(3))
    monkeypatch.setattr(sets, "OUTSIDE", [tmp_path])

    found = sets.fixtures("exmcr/ex_*.npz")

    assert files(found) == ["ex_clap_A.npz", "ex_ulip_A.npz", "ex_new_B.npz"]
    assert reasons(found) == []
    assert found[-1].values[0].arrays["input"].tolist() == [1, 1, 1]


def test_an_outside_set_without_such_files_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sets, "OUTSIDE", [tmp_path])

    assert reasons(sets.fixtures("exmcr/*.npz")) == [f"not run: {tmp_path} has no exmcr/*.npz"]


def test_an_outside_folder_that_is_not_there_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sets, "OUTSIDE", [tmp_path / "nowhere"])

    with pytest.raises(pytest.UsageError, match="nowhere is no folder"):
        sets.fixtures("*.npz")


def test_the_manifest_of_a_file_may_do_without_its_letter(tmp_path: Path) -> None:
    (tmp_path / "head.manifest.json").write_text('{"seed": 1}')
    (tmp_path / "other_B.manifest.json").write_text('{"seed": 2}')

    assert sets.Fixture(tmp_path / "head_B.npz").manifest == {"seed": 1}
    assert sets.Fixture(tmp_path / "other_B.npz").manifest == {"seed": 2}


def test_weights_drawn_otherwise_are_refused() -> None:
    facts = {"shape": [3], "dtype": "float32", "sha256": "0" * 64}

    with pytest.raises(AssertionError, match=r"norm\.weight: drawn otherwise"):
        rule.state({"norm.weight": facts}, seed=1)


@pytest.mark.parametrize(
    ("key", "shape", "mean", "deviation"),
    [
        ("layer.weight", (64, 400), 0.0, 0.05),
        ("norm.weight", (4_000,), 1.0, 0.1),
        ("layer.bias", (4_000,), 0.0, 0.02),
        ("norm.running_mean", (4_000,), 0.0, 0.1),
    ],
)
def test_each_kind_of_weight_has_its_own_scale(
    key: str, shape: tuple[int, ...], mean: float, deviation: float
) -> None:
    drawn = rule.tensor(key, shape, seed=7)

    assert drawn.dtype == np.float32
    assert drawn.mean() == pytest.approx(mean, abs=0.01)
    assert drawn.std() == pytest.approx(deviation, rel=0.05)
    assert not np.array_equal(drawn, rule.tensor(key, shape, seed=7, prefix="sister."))


def test_the_rule_of_one_scale_gives_the_published_check_values() -> None:
    drawn = rule.tensor_of_one_scale("visual.proj", (768, 512), seed=20240, scale=0.02)

    assert drawn.mean() == pytest.approx(9.320968912245465e-07, rel=1e-6)
    assert drawn[0, 0] == pytest.approx(-0.017149383202195168, rel=1e-6)


def test_the_own_sets_are_small_and_hold_no_weights() -> None:
    own = [path for path in sets.OWN.rglob("*") if path.is_file()]

    assert {path.suffix for path in own} <= {".md", ".json", ".npz"}
    assert sum(path.stat().st_size for path in own) <= 3_000_000
