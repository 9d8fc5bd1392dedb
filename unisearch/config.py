"""Every setting, with its default and a line of help. Only this module reads config.yaml.

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
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from unisearch.errors import BadSetting, display
from unisearch.records import MODALITIES


class Section(BaseModel):
    """A group of settings; a name that is not in it is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SearchSettings(Section):
    """How hits are ranked."""

    k: int = Field(10, ge=1, description="hits shown when the question does not say")
    candidates: int = Field(
        200, ge=1, description="candidates read per term and modality, at least; 20 k when more"
    )
    weak_above: float = Field(
        0.05,
        gt=0,
        description="a hit is weak when chance alone would give more than this many as good",
    )
    name_bonus: float = Field(
        3.0, ge=0, description="standard deviations added to a hit whose words match too"
    )
    routes: dict[str, str] = Field(
        {},
        description="space that answers a pair, as in {text->image: starter}, "
        "where the one of the best declared quality should not",
    )

    @field_validator("routes")
    @classmethod
    def _are_pairs(cls, routes: dict[str, str]) -> dict[str, str]:
        """A misspelt pair would silently never be taken."""
        for pair in routes:
            if not set(pair.split("->")) <= set(MODALITIES) or pair.count("->") != 1:
                raise ValueError(f"'{pair}' is no pair like text->image of {', '.join(MODALITIES)}")
        return routes


class IndexSettings(Section):
    """How files become vectors."""

    batch: int = Field(64, ge=1, le=4096, description="segments encoded in one forward pass")
    commit_every: int = Field(
        256, ge=1, description="segments after which the library is made durable"
    )
    workers: int = Field(
        0,
        ge=0,
        le=256,
        description="processes that decode files; 0: a core less than there are, both of two",
    )
    timeout_s: float = Field(
        60.0,
        gt=0,
        description="longest time to decode a file; 5 s more for each part that it has given, and "
        "1 s for each MB of it, but for sounds",
    )
    worker_memory_mb: int = Field(
        4096, ge=64, description="memory that decoding one file may take, MB"
    )
    ignore: tuple[str, ...] = Field(
        (), description="globs of names or paths below a root that are not indexed"
    )
    sidecars: Literal["both", "words", "off"] = Field(
        "both",
        description="texts beside a picture, a sound or a model (a.txt, a.json beside a.jpg): "
        "words of that file and texts of their own (both), words alone, or off",
    )


class VectorSettings(Section):
    """How vectors are searched."""

    exact_rows: int = Field(
        50_000, ge=0, description="a partition of at most so many vectors is searched exactly"
    )
    tail_rows: int = Field(
        10_000, ge=1, description="vectors of a larger one that may wait for a snapshot"
    )
    recall: float = Field(
        0.95, gt=0, le=1, description="share of the true 10 best that an index must find"
    )
    gpu: Literal["auto", "off"] = Field(
        "auto", description="auto keeps vectors on a GPU when there is one and they fit"
    )
    gpu_share: float = Field(
        0.5, gt=0, le=1, description="share of the GPU's free memory that vectors may take"
    )


class Factors(Section):
    """How much of an expert is mixed into the vectors of each modality."""

    text: float = Field(ge=0, le=1)
    audio: float = Field(ge=0, le=1)


class SpaceSettings(Section):
    """What some published spaces leave open."""

    factors: Literal["versatile", "at_expertise"] | Factors = Field(
        "versatile",
        description="how much of CLAP is in texts and sounds of ib_pp, internvl_ib_pp and "
        "internvl_ib_ft_pp: versatile (0.1 and 0.5), at_expertise (0.5 and 0.8: best at sounds "
        "with texts), or two numbers as in {text: 0.1, audio: 0.5}",
    )
    remote_code: bool = Field(
        False,
        description="let the Python code run that the publisher of InternVL put into its folder, "
        "with all your rights; no other model brings any",
    )
    tuned_audio: Literal["own", "displacement"] = Field(
        "own",
        description="how internvl_ib_ft leads sounds into its space: through the heads that its "
        "audio tower brings, or through those of ImageBind",
    )


class WatchSettings(Section):
    """How the daemon watches folders, and what it writes about that."""

    polling: Literal["auto", "always", "never"] = Field(
        "auto",
        description="look through folders instead of waiting for events: auto does so on network "
        "drives, and where the system has no more watches",
    )
    poll_s: float = Field(30.0, gt=0, description="seconds between two such looks")
    quiet_s: float = Field(
        0.3, ge=0, description="seconds without news after which a file is indexed"
    )
    settle_s: float = Field(
        2.0,
        ge=0,
        description="seconds between two equal looks at a file whose end of writing does not show",
    )
    rescan_s: float = Field(
        3600.0, ge=0, description="seconds between two looks through everything; 0 never does"
    )
    min_free_mb: int = Field(
        500, ge=0, description="free disk space below which indexing waits, MB"
    )
    metrics_port: int = Field(
        0,
        ge=0,
        le=65_535,
        description="port of this machine (127.0.0.1) on which the daemon tells Prometheus its "
        "numbers; 0: none",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="least severe message that the daemon writes"
    )
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="of messages on stderr; auto writes JSON unless it is a terminal"
    )
    log_file: Path | None = Field(
        None, description="file that messages are also written to, as JSON lines"
    )
    log_file_mb: float = Field(
        10.0, gt=0, description="size at which that file is set aside for a new one, MB"
    )
    log_files: int = Field(5, ge=1, description="files set aside that are kept")

    @field_validator("log_file")
    @classmethod
    def _is_a_file(cls, path: Path | None) -> Path | None:
        """'~' means the user's home here too."""
        return None if path is None or path == Path() else path.expanduser()


class LimitSettings(Section):
    """What is refused before it is decoded, with the reason in the report."""

    file_mb: int = Field(4096, ge=1, description="largest file, MB")
    megapixels: int = Field(100, ge=1, description="largest picture, million pixels")
    audio_hours: float = Field(12.0, gt=0, description="longer sounds and videos are cut there")
    triangles: int = Field(20_000_000, ge=1, description="largest model, triangles")
    text_mb: int = Field(64, ge=1, description="largest text file, MB")


class PreviewSettings(Section):
    """Small pictures and excerpts that show what a file is."""

    enabled: bool = Field(True, description="make previews of what is indexed")
    side: int = Field(
        512, ge=64, le=2048, description="longest side of a picture, px; a film of a model has half"
    )
    max_mb: int = Field(
        10_240, ge=64, description="about as much as all previews may take, MB; the oldest go first"
    )
    renderer: Literal["auto", "software"] = Field(
        "auto", description="auto draws models with OpenGL where the extra 'render' is installed"
    )


class ServerSettings(Section):
    """How `unisearch serve` answers, and what it refuses."""

    host: str = Field("127.0.0.1", description="address to listen at; another one needs a token")
    port: int = Field(8765, ge=0, le=65_535, description="port to listen at; 0 takes a free one")
    token_sha256: str = Field(
        "",
        pattern="^([0-9a-f]{64})?$",
        description="SHA-256 of the token that requests must bear; 'unisearch serve --new-token'",
    )
    hosts: tuple[str, ...] = Field(
        (), description="names by which the server may be asked, beside localhost and addresses"
    )
    upload_mb: int = Field(64, ge=1, description="largest request, MB")
    upload_s: float = Field(30.0, gt=0, description="longest pause of a request that is sent, s")
    upload_seconds: float = Field(
        600.0, gt=0, description="so much of an uploaded sound or video is listened to, s"
    )
    requests_per_minute: int = Field(
        1_200, ge=0, description="requests of one client; 0 sets no limit"
    )


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
    here = Path("config.yaml")
    if here.is_file() and is_ours(here):
        return here
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
