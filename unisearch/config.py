"""All settings of a run (their groups: sections.py). Only this module reads config.yaml.

A setting comes from the first of: an argument, the environment (UNISEARCH_SEARCH__K=20),
the configuration file, the default here.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Any, Literal

import yaml
from platformdirs import user_config_path, user_data_path
from pydantic import Field, PrivateAttr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from unisearch.errors import BadSetting, display
from unisearch.sections import (
    IndexSettings,
    LimitSettings,
    PreviewSettings,
    SearchSettings,
    Section,
    ServerSettings,
    SpaceSettings,
    VectorSettings,
    WatchSettings,
)

#: Looked for where one stands.
HERE = Path("config.yaml")


class Settings(BaseSettings):
    """All settings of one run."""

    model_config = SettingsConfigDict(
        env_prefix="UNISEARCH_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    library: Path = Field(
        default_factory=lambda: user_data_path("unisearch") / "library",
        description="folder of the library: catalogue, vectors, indexes",
    )
    space: str = Field(
        "starter",
        description="space of a new library; 'unisearch spaces' changes that of an old one",
    )
    models: Path = Field(
        default_factory=lambda: user_data_path("unisearch") / "models",
        description="folder of installed weights, looked into before the bundled ones",
    )
    models_hub: str = Field(
        "https://huggingface.co",
        pattern="^https?://",
        description="hub that `models pull` asks, or a mirror of it; else $HF_ENDPOINT",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="where networks run; auto takes a GPU when there is one"
    )
    threads: int = Field(0, ge=0, description="CPU threads of the networks; 0 means all cores")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "warning", description="least severe message that is shown on stderr"
    )
    search: SearchSettings = SearchSettings()
    index: IndexSettings = IndexSettings()
    vectors: VectorSettings = VectorSettings()
    spaces: SpaceSettings = SpaceSettings()
    watch: WatchSettings = WatchSettings()
    limits: LimitSettings = LimitSettings()
    previews: PreviewSettings = PreviewSettings()
    server: ServerSettings = ServerSettings()

    #: The file that was read, if any.
    _file: Path | None = PrivateAttr(None)

    @property
    def file(self) -> Path | None:
        """The configuration file that was read, or None."""
        return self._file

    @field_validator("library", "models")
    @classmethod
    def _is_a_place(cls, path: Path) -> Path:
        """An empty path would mean the folder where somebody happens to stand."""
        if path == Path():
            raise ValueError("must name a folder")
        return path.expanduser()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then environment, then the file handed over as `_file`."""
        del dotenv_settings, file_secret_settings
        assert isinstance(init_settings, InitSettingsSource)
        from_file = init_settings.init_kwargs.pop("_from_file", {})
        return init_settings, env_settings, InitSettingsSource(settings_cls, from_file)


def load_settings(config: Path | str | None = None, **arguments: Any) -> Settings:
    """The settings of this run.

    config: the file to read, else $UNISEARCH_CONFIG, ./config.yaml, the user's config.yaml
    arguments: settings given by hand; None means not given
    Raises BadSetting, naming the file and the nearest known name.
    """
    path = find_config(config)
    from_file = read_yaml(path) if path else {}
    given = {name: value for name, value in arguments.items() if value is not None}
    try:
        settings = Settings(**given, _from_file=from_file)  # type: ignore[call-arg]
    except ValidationError as error:
        raise BadSetting(explain(error, path)) from None
    settings._file = path
    return settings


def check_still_there(before: Settings, now: Settings) -> None:
    """Raises BadSetting when `now` was read without the file that the settings before came from.

    It may be away for a moment, as while somebody replaces it: that asks for no defaults. A
    ./config.yaml that came goes before the user's own, as at a start.
    """
    if before.file not in (None, now.file) and now.file != HERE:
        raise BadSetting(f"{display(before.file)}: no such configuration file")


def find_config(config: Path | str | None) -> Path | None:
    """The configuration file that holds, or None when there is none.

    Raises BadSetting when a file was asked for by name and is not there.
    """
    asked = config or os.environ.get("UNISEARCH_CONFIG")
    if asked:
        try:
            there = Path(asked).is_file()
        except OSError as error:
            raise BadSetting(f"{display(asked)}: cannot be read: {error.strerror}") from error
        if not there:
            raise BadSetting(f"{display(asked)}: no such configuration file")
        return Path(asked)
    if HERE.is_file() and is_ours(HERE):
        return HERE
    user = user_config_path("unisearch") / "config.yaml"
    try:
        return user if user.is_file() else None
    except OSError:  # the home of another user, as sudo leaves it
        return None


def is_ours(path: Path) -> bool:
    """Whether a config.yaml that merely lies here is unisearch's.

    The name is common: a file that knows none of our settings belongs to another program.
    """
    try:
        return bool(Settings.model_fields.keys() & read_yaml(path).keys())
    except BadSetting:
        return False


def read_yaml(path: Path) -> dict[str, Any]:
    """What the file says; empty values count as not set."""
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise BadSetting(f"{display(path)}: cannot be read: {reason}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise BadSetting(f"{display(path)}: must hold 'setting: value' lines")
    return {str(name): value for name, value in content.items() if value is not None}


def explain(error: ValidationError, path: Path | None) -> str:
    """The first mistake in one line: where, which setting, what to write instead."""
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    where = display(path) if path else "settings"
    if first["type"] == "extra_forbidden":
        known = [*Settings.model_fields, *(row[0] for row in table())]
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        return f"{where}: there is no setting '{name}'{hint}"
    shown = str(first["input"])
    reason = first["msg"].removeprefix("Value error, ")
    return f"{where}: setting '{name}': {reason}, not '{shown}'"


def table() -> list[tuple[str, str, str]]:
    """Rows (dotted name, default, help) of every setting, for docs and for hints."""
    rows: list[tuple[str, str, str]] = []
    for name, field in Settings.model_fields.items():
        default = field.default
        if isinstance(default, Section):
            rows += [
                (f"{name}.{inner}", str(value.default), value.description or "")
                for inner, value in type(default).model_fields.items()
            ]
        else:
            shown = "the user's data folder" if field.default_factory else str(default)
            rows.append((name, shown, field.description or ""))
    return rows
