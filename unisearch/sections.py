"""The groups of settings. Each setting has a default and a line of help; config.py reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

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
