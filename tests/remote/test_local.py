"""Commands ask a running server of the library, and print what they would have found themselves."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from unisearch.api.gather import Gather
from unisearch.api.local import LocalDoor
from unisearch.api.service import Service
from unisearch.cli import search as verb
from unisearch.cli.main import run
from unisearch.config import Settings, load_settings
from unisearch.engine.answer import Answer
from unisearch.engine.engine import Engine
from unisearch.engine.questions import Question
from unisearch.engine.terms import Term
from unisearch.remote import local
from unisearch.sockets import socket_path
from unisearch.wiring import open_rooms

Ask = Callable[..., tuple[int, bytes, str]]


@pytest.fixture(scope="module")
def own(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A library of our own over the same media: the server of other tests keeps its socket."""
    library = tmp_path_factory.mktemp("local") / "library"
    shutil.copytree(
        settings.library, library, ignore=shutil.ignore_patterns(local.SOCKET_FILE, "writer.*")
    )
    return settings.model_copy(update={"library": library})


def alone(engine: Engine) -> Callable[[Question], Answer]:
    """Each question for itself."""
    return lambda question: engine.ask_many([question])[0]


@pytest.fixture
def door(own: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A server that listens for commands, and nothing but that."""
    monkeypatch.setenv("UNISEARCH_SPACE", "toy")
    monkeypatch.chdir(tmp_path)
    with Engine(open_rooms(own)) as engine:
        listening = LocalDoor(own, alone(engine))
        yield
        listening.close()
    assert not (own.library / local.SOCKET_FILE).exists()


@pytest.fixture
def ask(own: Settings, capfdbinary: pytest.CaptureFixture[bytes]) -> Ask:
    """(exit code, stdout, stderr) of a search of that library."""

    def asked(*arguments: str | Path) -> tuple[int, bytes, str]:
        words = [os.fspath(argument) for argument in arguments]
        code = run(["search", *words, "--library", str(own.library)])
        out, err = capfdbinary.readouterr()
        return code, out, err.decode()

    return asked


@pytest.fixture
def served_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks in this process fails."""

    def looked(*_: Any) -> None:
        raise AssertionError("looked in this process")

    monkeypatch.setattr(verb, "own_answer", looked)


QUESTIONS: dict[str, Callable[[Path], list[str | Path]]] = {
    "a table": lambda media: ["lighthouse"],
    "paths": lambda media: ["lighthouse", "--paths", "-0", "-k", "3"],
    "a file and words": lambda media: [media / "rock.obj", "2:on a rock", "--not", "noise"],
    "an item": lambda media: ["item:1", "--into", "image,audio", "--each"],
    "below a folder": lambda media: ["beach", "--under", media / "photos", "--no-names"],
    "a filter": lambda media: ["beach", "--where", "kind=audio", "--min-score", "-9"],
    "a hint": lambda media: ["11:cow"],
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_output_is_the_same_byte_for_byte(
    name: str, door: None, ask: Ask, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = QUESTIONS[name](media)
    own = ask(*question, "--no-server")
    monkeypatch.setattr(verb, "own_answer", None)

    assert ask(*question) == own
    assert own[0] == 0
    assert own[1]


def test_json_differs_in_nothing_but_the_time(
    door: None, ask: Ask, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = [media / "photos" / "beach.png", "lighthouse", "--json"]
    own = json.loads(ask(*question, "--no-server")[1])
    monkeypatch.setattr(verb, "own_answer", None)
    served = json.loads(ask(*question)[1])

    assert served.pop("took_ms").keys() == own.pop("took_ms").keys()
    assert served == own


def test_a_path_from_here_is_the_same_file_there(
    door: None, ask: Ask, media: Path, served_only: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(media)

    code, out, _ = ask("./photos/beach.png", "--under", "photos", "--json")

    told = json.loads(out)
    assert code == 0
    assert told["query"][0]["term"] == "photos/beach.png"
    assert [hit["path"] for hit in told["hits"]] == [str(media / "photos" / "beach.png")]


@pytest.mark.parametrize(
    "question", [["item:999999"], ["a", "--under", "/nowhere/at/all"], ["broken.png"]]
)
def test_errors_are_the_same(question: list[str], door: None, ask: Ask) -> None:
    Path("broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing more")

    served, own = ask(*question), ask(*question, "--no-server")

    assert served == own
    assert own[0] == 1
    assert len(own[2].splitlines()) == 1


def test_words_of_commands_go_along_with_those_of_other_clients_and_files_do_not(
    own: Settings, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gathered: list[Question] = []
    ask = Gather.ask

    def noting(gather: Gather, question: Question) -> Answer:
        gathered.append(question)
        return ask(gather, question)

    monkeypatch.setattr(Gather, "ask", noting)
    terms = [Term("lighthouse")], [Term(media / "rock.obj")]

    with closing(Service(own)):
        words, file = (local.ask(own, one, {"k": 1, "under": None}) for one in terms)

    assert words is not None
    assert file is not None
    assert [question.terms for question in gathered] == [terms[0]]
    assert [os.fsdecode(hit.path) for hit in file.hits] == [str(media / "rock.obj")]


def test_nobody_else_reaches_the_socket(door: None, own: Settings) -> None:
    mode = (own.library / local.SOCKET_FILE).stat().st_mode

    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600


@pytest.mark.parametrize(
    ("name", "value"), [("UNISEARCH_SEARCH__NAME_BONUS", "2.5"), ("UNISEARCH_DEVICE", "cuda")]
)
def test_other_settings_are_not_answered_by_the_server(
    name: str, value: str, door: None, own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    other = load_settings(library=own.library)

    assert local.ask(other, [Term("lighthouse")], {}) is None


def test_another_version_is_not_answered_by_the_server(
    door: None, own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert local.ask(own, [Term("lighthouse")], {}) is not None

    monkeypatch.setattr(local, "version", lambda _: "0.0.0")

    assert local.ask(own, [Term("lighthouse")], {}) is None


def test_a_socket_that_a_dead_server_left_is_passed_over_and_taken_over(
    own: Settings, ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("UNISEARCH_SPACE", "toy")
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as dead, socket_path(own.library, local.SOCKET_FILE) as path:
        dead.bind(path)

    code, out, err = ask("lighthouse", "--paths", "-k", "1")
    assert (code, err) == (0, "")
    assert out
    with Engine(open_rooms(own)) as engine:
        listening = LocalDoor(own, alone(engine))
        served = local.ask(own, [Term("lighthouse")], {"k": 1})
        second = LocalDoor(own, alone(engine))  # the first one keeps the socket
        second.close()
        again = local.ask(own, [Term("lighthouse")], {"k": 1})
        listening.close()

    assert served is not None
    assert again is not None


def test_a_socket_that_goes_while_it_is_looked_at_is_made_anew(
    own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked(path: str) -> bool:
        os.unlink(path)  # noqa: PTH108 (the other server ends at that moment)
        return True

    monkeypatch.setattr("unisearch.api.local.is_stale", looked)
    with socket.socket(socket.AF_UNIX) as other, Engine(open_rooms(own)) as engine:
        with socket_path(own.library, local.SOCKET_FILE) as path:
            other.bind(path)
        listening = LocalDoor(own, alone(engine))
        served = local.ask(own, [Term("lighthouse")], {"k": 1})
        listening.close()

    assert served is not None


def test_a_server_that_is_too_busy_keeps_its_socket(tmp_path: Path) -> None:
    with ExitStack() as open_sockets:
        busy, *waiting = (
            open_sockets.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(9)
        )
        path = open_sockets.enter_context(socket_path(tmp_path, local.SOCKET_FILE))
        busy.bind(path)
        busy.listen(0)
        refused = []
        for one in waiting:
            one.setblocking(False)
            refused.append(one.connect_ex(path))
        assert errno.EAGAIN in refused

        assert not local.is_stale(path)


def test_a_server_that_ends_leaves_the_socket_of_another_one(own: Settings) -> None:
    with socket.socket(socket.AF_UNIX) as other, Engine(open_rooms(own)) as engine:
        listening = LocalDoor(own, alone(engine))
        with socket_path(own.library, local.SOCKET_FILE) as path:
            os.unlink(path)  # noqa: PTH108
            other.bind(path)

        listening.close()

    left = own.library / local.SOCKET_FILE
    assert left.exists()
    left.unlink()


@pytest.mark.parametrize(
    "said", [b"", b"{}", b"null\n", b'{"answer": 3}', b"\xff\n", b'{"answer": {"query": []}}']
)
def test_what_answers_nonsense_is_passed_over(said: bytes, own: Settings) -> None:
    import threading

    with socket.socket(socket.AF_UNIX) as listener:
        with socket_path(own.library, local.SOCKET_FILE) as path:
            listener.bind(path)
        listener.listen(1)

        def talk() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(said)

        thread = threading.Thread(target=talk)
        thread.start()
        try:
            assert local.ask(own, [Term("a")], {}) is None
        finally:
            thread.join(60)
            (own.library / local.SOCKET_FILE).unlink()
    assert not thread.is_alive()


@pytest.mark.parametrize(
    "sent", [b"", b"\n", b"[]\n", b"{}\n", b"\xff\xfe\n", b'{"version": 1}\n', b"x" * 100 + b"\n"]
)
def test_nonsense_leaves_the_server_alive(sent: bytes, door: None, own: Settings) -> None:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(60)
        with socket_path(own.library, local.SOCKET_FILE) as path:
            line.connect(path)
        line.sendall(sent)
        line.shutdown(socket.SHUT_WR)
        assert line.recv(100) == b""

    assert local.ask(own, [Term("lighthouse")], {}) is not None


def test_a_command_that_is_answered_loads_no_network(door: None, own: Settings) -> None:
    code = (
        "import sys; from unisearch.cli.main import run;"
        f"code = run(['search', 'lighthouse', '--paths', '--library', {str(own.library)!r}]);"
        "print(sorted({'torch', 'numpy', 'sqlalchemy', 'faiss'} & set(sys.modules)), code)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )

    assert done.stdout.splitlines()[-1] == "[] 0", done.stderr
