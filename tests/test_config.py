"""Settings: where they come from, and what a mistake in them says."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from unisearch.config import check_still_there, load_settings, read_yaml, table
from unisearch.errors import BadSetting

DEFAULTS = Path(__file__).parent.parent / "config.yaml"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("UNISEARCH_CONFIG", "UNISEARCH_LIBRARY", "UNISEARCH_SPACE"):
        monkeypatch.delenv(name, raising=False)


def test_an_argument_beats_the_environment_beats_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("space: toy\nthreads: 1\ndevice: cpu\n")
    monkeypatch.setenv("UNISEARCH_THREADS", "2")
    monkeypatch.setenv("UNISEARCH_DEVICE", "cuda")

    settings = load_settings(file, device="auto")

    assert (settings.space, settings.threads, settings.device) == ("toy", 2, "auto")


def test_a_file_that_is_away_asks_for_no_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = tmp_path / "home" / "config.yaml"
    users.parent.mkdir()
    users.write_text("threads: 3\n")
    monkeypatch.setattr("unisearch.config.user_config_path", lambda _: users.parent)
    by_user = load_settings()
    here = tmp_path / "config.yaml"
    here.write_text("threads: 2\n")

    by_here = load_settings()
    check_still_there(by_user, by_here)  # one that came goes before it, as at a start
    check_still_there(by_here, load_settings())

    here.write_text("")  # somebody is about to write it
    with pytest.raises(BadSetting, match=r"config\.yaml: no such configuration file"):
        check_still_there(by_here, load_settings())
    users.unlink()
    for before in (by_here, by_user):
        with pytest.raises(BadSetting, match="no such configuration file"):
            check_still_there(before, load_settings())


def test_a_nested_setting_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNISEARCH_SEARCH__K", "33")

    settings = load_settings()

    assert settings.search.k == 33
    assert settings.search.candidates == 200


@pytest.mark.parametrize("given", ["at_expertise", {"text": 0.2, "audio": 0.7}])
def test_factors_are_a_name_or_two_numbers(tmp_path: Path, given: object) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump({"spaces": {"factors": given}}), "utf-8")

    assert load_settings(file).spaces.model_dump()["factors"] == given


def test_factors_come_from_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNISEARCH_SPACES__FACTORS__TEXT", "0.2")
    monkeypatch.setenv("UNISEARCH_SPACES__FACTORS__AUDIO", "0.7")

    assert load_settings().spaces.model_dump()["factors"] == {"text": 0.2, "audio": 0.7}


@pytest.mark.parametrize("given", ["versatil", "{text: 0.5}", "{text: 0.5, audio: 1.5}"])
def test_factors_of_no_kind_are_one_line(tmp_path: Path, given: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"spaces: {{factors: {given}}}", "utf-8")

    with pytest.raises(BadSetting, match=r"config\.yaml: setting 'spaces\.factors") as error:
        load_settings(file)

    assert "\n" not in str(error.value)


def test_the_shipped_file_holds_every_setting_and_only_defaults() -> None:
    text = DEFAULTS.read_text()

    settings = load_settings(DEFAULTS)

    assert settings.file == DEFAULTS
    assert settings.model_dump() == load_settings().model_dump()
    for name, _, _ in table():
        assert f"{name.split('.')[-1]}:" in text, name
    assert yaml.safe_load(text)["search"]["k"] == 10


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("serch: {k: 3}", "no setting 'serch'; did you mean 'search'"),
        ("search: {kk: 3}", "did you mean 'search.k'"),
        ("search: {k: 0}", "'search.k'"),
        ("space: [", "cannot be read"),
        ("- a list", "setting: value"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_file(tmp_path: Path, content: str, part: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(content)

    with pytest.raises(BadSetting) as caught:
        load_settings(file)

    assert part in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_asked_for_by_name_must_exist(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="no such configuration file"):
        load_settings(tmp_path / "none.yaml")


def test_a_config_of_another_program_in_this_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("model: {layers: 3}\n")

    settings = load_settings()

    assert settings.space == "starter"
    assert read_yaml(tmp_path / "config.yaml") == {"model": {"layers": 3}}


def test_an_empty_path_is_refused_and_a_tilde_is_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("library: ~/media library\n")

    assert load_settings(file).library == Path.home() / "media library"
    monkeypatch.setenv("UNISEARCH_LIBRARY", "")
    with pytest.raises(BadSetting, match=r"'library'.*must name a folder"):
        load_settings(file)
