"""Several writers of one library: one holds it, and the others have their work done there."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import indexer.ask
import indexer.holder
from indexer import Failure, Indexer, Progress, Report
from indexer.ask import Asking
from indexer.desk import Desk, Handed
from indexer.detect import digest_of
from indexer.handover import (
    MAX_LINE_BYTES,
    NAMES,
    SOCKET_FILE,
    Alive,
    Back,
    BadMessage,
    Job,
    decode_answer,
    decode_job,
    encode_answer,
    encode_job,
)
from indexer.holder import alone
from tests.indexer import tasks
from unisearch.config import Settings
from unisearch.errors import (
    LibraryDamaged,
    LibraryLocked,
    MissingExtra,
    UnisearchError,
    UnknownName,
    Unreadable,
)
from unisearch.sockets import socket_path

if TYPE_CHECKING:
    from tests.indexer.conftest import Library

Make = dict[str, Callable[..., Path]]

PATIENCE_S = 120.0


class Client(threading.Thread):
    """Another writer, in a thread: a lock knows no threads, so it is as good as a process."""

    def __init__(self, settings: Settings, call: Callable[[Indexer], Any]) -> None:
        super().__init__(daemon=True)
        self.settings, self.call = settings, call
        self.result: Any = None
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self.result = self.call(Indexer(settings=self.settings))
        except BaseException as error:
            self.error = error

    def end(self) -> Any:
        """What the call returned; raises what it raised."""
        self.join(PATIENCE_S)
        assert not self.is_alive()
        if self.error is not None:
            raise self.error
        return self.result


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that is about to happen."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


class Scene:
    """A holder that commits each file, and others that come while it works."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.settings = library.settings.model_copy(
            update={"index": library.settings.index.model_copy(update={"commit_every": 1})}
        )
        self.holder = Indexer(settings=self.settings)

    @property
    def desk(self) -> Desk:
        """Where the holder takes in jobs."""
        assert self.holder._kept is not None
        return self.holder._kept._desk

    def handed_over(self, call: Callable[[Indexer], Any], **update: Any) -> Client:
        """Another writer whose job lies on the desk."""
        before = len(self.desk.waiting)
        client = Client(self.settings.model_copy(update=update), call)
        until(lambda: len(self.desk.waiting) > before or not client.is_alive())
        return client

    def run(self, *paths: Path, at: dict[int, Callable[[], Any]]) -> Report:
        """A run of the holder; at[n] is called after its n-th file."""
        seen = 0

        def hook(now: Progress) -> None:
            nonlocal seen
            seen += 1
            if seen in at:
                at[seen]()

        return self.holder.run(paths or [self.library.media], progress=hook)


@pytest.fixture
def scene(library: Library) -> Iterator[Scene]:
    made = Scene(library)
    with made.holder:
        yield made


def texts(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{number}.txt").write_text(f"{folder.name} has {number}.\n")
    return folder


def names(library: Library) -> list[str]:
    """The items below the media folder, each of which must be there once."""
    found = [
        os.fsdecode(os.path.relpath(item.path, bytes(library.media))) for item in library.items()
    ]
    assert len(found) == len(set(found))
    return sorted(found)


# What travels


def words() -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.text(), max_size=3).map(tuple)


def paths(count: int) -> st.SearchStrategy[tuple[bytes, ...]]:
    one = st.binary(max_size=20).map(lambda rest: b"/" + rest)
    return st.lists(one, min_size=count, max_size=count).map(tuple)


JOBS = st.one_of(
    st.builds(Job, st.just("index"), paths(3), retry=st.booleans(), needs=st.text()),
    st.builds(Job, st.sampled_from(["forget", "remove_root"]), paths(1)),
    st.builds(Job, st.just("relocate"), paths(2)),
    st.builds(
        Job,
        st.just("tag"),
        items=st.lists(st.integers(0, 2**62)).map(tuple),
        add=words(),
        remove=words(),
    ),
)


@given(JOBS)
def test_a_job_arrives_as_it_was_sent(job: Job) -> None:
    line = encode_job(job)

    assert line.endswith(b"\n")
    assert b"\n" not in line[:-1]
    assert decode_job(line) == job


@pytest.mark.parametrize(
    "answer",
    [
        Alive(True),
        7,
        Back(),
        Progress({"image": 1}, {"image": 2, "other": 1}, 3, 4, 1.5, b"/x/\xff\n.png"),
        Report(1, 2, 3, 4, 5, [Failure(b"/\xff", "corrupt", "bad\n", True)], 2.5, {"text": 1}, 6),
        Back(Report(added=2, truncated=[(b"/a", 3.5)], spared=[b"/\xff"])),
    ],
)
def test_an_answer_arrives_as_it_was_sent(answer: Any) -> None:
    assert decode_answer(encode_answer(answer)) == answer


@pytest.mark.parametrize(
    "error",
    [
        UnisearchError("plain"),
        LibraryLocked("locked"),
        MissingExtra("usd", ["usd", "all"]),
        UnknownName("space", "tooy", ["toy"]),
        Unreadable(b"/\xff\n", "timeout", "too slow"),
    ],
)
def test_an_error_is_the_same_on_the_other_side(error: UnisearchError) -> None:
    arrived = decode_answer(encode_answer(error))

    assert type(arrived) is type(error)
    assert str(arrived) == str(error)


@given(st.binary(max_size=200) | st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | st.sampled_from(["v", "job", *NAMES]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["v", "job", "paths", "items", "add", "retry", "is"]), inner
    ),
).map(lambda value: repr(value).replace("'", '"').encode()))  # fmt: skip
def test_bad_lines_are_bad_messages_and_nothing_else(line: bytes) -> None:
    for decode in (decode_job, decode_answer):
        try:
            decode(line)
        except BadMessage:
            continue


def test_what_a_newer_holder_tells_besides_is_passed_over() -> None:
    report = Report(added=2)
    line = encode_answer(report).replace(b'"added"', b'"better": 1, "added"')

    assert decode_answer(line) == report


def test_a_run_that_another_process_began_is_told_as_one() -> None:
    fail = Failure(b"/bad", "corrupt", "why")
    began = Report(added=3, unchanged=2, failed=[fail], seconds=1, by_modality={"text": 3})
    went_on = Report(
        added=4, unchanged=5, removed=1, seconds=2, by_modality={"text": 1, "image": 3}, ignored=1,
        failed=[Failure(b"/bad", "corrupt", "why", known=True), Failure(b"/worse", "crash", "x")],
    )  # fmt: skip

    whole = went_on.after(began)

    assert (whole.added, whole.unchanged, whole.removed, whole.seconds) == (7, 2, 1, 3)
    assert whole.by_modality == {"image": 3, "text": 4}
    assert whole.failed == [fail, Failure(b"/worse", "crash", "x")]


# Jobs that come while another one works


def test_a_small_change_is_done_between_two_commits_of_a_run(scene: Scene) -> None:
    texts(scene.library.media / "a", 6)
    scene.holder.run(texts(scene.library.media / "b", 1))
    item = scene.library.item("b/0.txt").id
    done: list[int] = []

    def tag() -> None:
        client = scene.handed_over(lambda other: other.tag([item], ["seen"]))
        clients.append(client)

    clients: list[Client] = []
    scene.run(at={2: tag, 4: lambda: done.append(clients[0].end())})

    assert done == [1]  # long before the run was over
    assert len(names(scene.library)) == 7


def test_a_file_that_is_being_read_is_not_hashed_again_when_others_write(
    scene: Scene, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.flow.decode", tasks.decode_as_told)
    hashed: list[bytes] = []

    def counted(path: bytes, size_bytes: int) -> bytes:
        hashed.append(path)
        return digest_of(path, size_bytes)

    media = scene.library.media
    scene.holder.run(texts(media / "z", 1))
    item = scene.library.item("z/0.txt").id
    slow = make["picture"](media / "a" / "slow-1.0.png", 1)
    texts(media / "b", 6)
    monkeypatch.setattr("indexer.detect.digest_of", counted)
    clients: list[Client] = []

    def tag() -> None:
        clients.append(scene.handed_over(lambda other: other.tag([item], ["seen"])))

    report = scene.run(at={2: tag, 4: lambda: clients[0].end()})

    assert report.added == 7
    assert hashed.count(bytes(slow)) == 1


def test_what_is_forgotten_during_a_run_stays_forgotten(scene: Scene) -> None:
    a, b = (texts(scene.library.media / name, 4) for name in "ab")
    scene.holder.run(texts(scene.library.media / "c", 1))
    clients: list[Client] = []

    def forget() -> None:
        clients.append(scene.handed_over(lambda other: other.forget(b)))

    report = scene.run(a, b, at={6: forget})

    assert clients[0].end() == 2
    assert report.added == 6
    assert names(scene.library) == ["a/0.txt", "a/1.txt", "a/2.txt", "a/3.txt", "c/0.txt"]
    assert scene.holder.run(b).added == 4


def test_a_root_can_be_removed_under_a_run(scene: Scene) -> None:
    a, b = (texts(scene.library.media / name, 4) for name in "ab")
    scene.holder.run(b)
    clients: list[Client] = []

    def remove() -> None:
        clients.append(scene.handed_over(lambda other: other.remove_root(a)))

    scene.run(a, at={2: remove})

    assert clients[0].end() == 2
    assert scene.library.roots() == [bytes(b)]
    assert len(names(scene.library)) == 4


def test_a_root_can_be_relocated_under_a_run_that_misses_its_files(scene: Scene) -> None:
    a, old = (texts(scene.library.media / name, 4) for name in ("a", "old"))
    scene.holder.run([a, old])
    for path in a.iterdir():
        path.write_text(f"changed {path.name}")
    new = old.rename(scene.library.media / "new")
    clients: list[Client] = []

    def relocate() -> None:
        clients.append(scene.handed_over(lambda other: other.relocate(old, new)))

    scene.library.media.joinpath("old").mkdir()
    report = scene.run(a, old, at={2: relocate})

    assert clients[0].end() == 4
    assert (report.updated, report.removed) == (4, 0)
    assert [name for name in names(scene.library) if not name.startswith("a/")] == [
        f"new/{number}.txt" for number in range(4)
    ]


def test_runs_over_the_same_files_go_on_side_by_side(scene: Scene) -> None:
    media = scene.library.media
    a, b = (texts(media / name, 5) for name in "ab")
    scene.holder.run(texts(media / "c", 1))
    clients: list[Client] = []

    def runs() -> None:
        clients.extend(
            scene.handed_over(lambda other, at=places: other.run(at))
            for places in ([a, b], [media], [b])
        )

    report = scene.run(a, at={1: runs})
    reports = [report, *(client.end() for client in clients)]

    assert len(names(scene.library)) == 11
    assert sum(one.added for one in reports) == 10
    assert [one.added + one.unchanged for one in reports] == [5, 10, 11, 5]
    assert len(scene.library.live_rows()) == 11


def test_a_file_that_another_run_finds_again_is_not_dropped(scene: Scene) -> None:
    media = scene.library.media
    old, other = texts(media / "old", 3), texts(media / "other", 3)
    scene.holder.run(media)
    before = {item.id for item in scene.library.items()}
    for path in other.iterdir():
        path.write_text(f"changed {path.name}")
    (old / "1.txt").rename(media / "found.txt")
    clients: list[Client] = []

    def find() -> None:
        found = media / "found.txt"
        clients.append(scene.handed_over(lambda writer: writer.run([found])))

    report = scene.run(old, other, at={1: find})

    assert clients[0].end().moved == 1
    assert report.removed == 0
    assert {item.id for item in scene.library.items()} == before
    assert "found.txt" in names(scene.library)


def test_who_has_other_settings_waits_and_does_it_himself(scene: Scene) -> None:
    a, b = (texts(scene.library.media / name, 3) for name in "ab")
    scene.holder.run(a)
    ignoring = scene.settings.index.model_copy(update={"ignore": ("1.txt",)})
    clients: list[Client] = []

    def run() -> None:
        clients.append(scene.handed_over(lambda other: other.run([b]), index=ignoring))

    (a / "new.txt").write_text("new")
    scene.run(a, at={1: run})
    assert clients[0].is_alive()
    scene.holder.close()

    assert clients[0].end().added == 2
    assert "b/1.txt" not in names(scene.library)


def test_a_job_fails_alone(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.holder.run(texts(scene.library.media / "a", 1))
    texts(scene.library.media / "b", 4)
    clients: list[Client] = []

    def fail(*given: object, **named: object) -> int:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("indexer.changes.forget", fail)

    def jobs() -> None:
        clients.append(scene.handed_over(lambda other: other.tag([999], ["x"])))
        clients.append(scene.handed_over(lambda other: other.forget("/nowhere")))
        clients.append(scene.handed_over(lambda other: other.remove_root("/nowhere")))

    report = scene.run(at={2: jobs})

    assert report.added == 4
    for client, said in zip(clients, ("no such item", "ZeroDivisionError: oh", "not an indexed"),
                            strict=True):  # fmt: skip
        with pytest.raises(UnisearchError, match=said):
            client.end()


def test_a_holder_between_two_calls_does_what_others_ask(scene: Scene) -> None:
    a, b = (texts(scene.library.media / name, 3) for name in "ab")
    scene.holder.run(a)
    seen: list[Progress] = []

    report = Indexer(settings=scene.settings).run([b], progress=seen.append)
    gone = Indexer(settings=scene.settings).forget(a)

    assert (report.added, gone) == (3, 3)
    assert scene.holder.run(a).added == 3


def test_progress_is_that_of_the_holder(scene: Scene, make: Make) -> None:
    scene.holder.run(texts(scene.library.media / "a", 1))
    b = texts(scene.library.media / "b", 2)
    make["picture"](b / "beach.png", 1)
    seen: list[Progress] = []
    clients: list[Client] = []

    def run() -> None:
        clients.append(scene.handed_over(lambda other: other.run([b], progress=seen.append)))

    def told() -> None:
        until(lambda: bool(seen))

    texts(scene.library.media / "c", 8)
    scene.run(scene.library.media / "c", at={1: run, 5: told})

    assert clients[0].end().added == 3
    assert seen[0].total == {"text": 2, "image": 1}
    assert seen[0].path.startswith(bytes(b))


# Ends that nobody planned


def test_ctrl_c_at_the_holder_gives_jobs_back_and_their_processes_go_on(scene: Scene) -> None:
    a, b = (texts(scene.library.media / name, 9) for name in "ab")
    scene.holder.close()
    holder = Indexer(settings=scene.settings)  # holds the lock during its call
    clients: list[Client] = []
    seen = 0

    def hook(now: Progress) -> None:
        nonlocal seen
        seen += 1
        if seen == 1:
            clients.append(Client(scene.settings, lambda other: other.run([b])))
        until(lambda: bool(waiting(holder)) or seen > 1)
        if seen == 6:
            raise KeyboardInterrupt

    desks: list[Desk] = []

    def waiting(_: Indexer) -> list[Handed]:
        return list(desks[0].waiting)

    real = indexer.holder.Desk
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("indexer.holder.Desk", lambda *given: desks.append(real(*given)) or desks[-1])
        with pytest.raises(KeyboardInterrupt):
            holder.run([a], progress=hook)
        report = clients[0].end()

    assert report.added == 9  # some there, some here
    assert report.unchanged == 0
    assert len([name for name in names(scene.library) if name.startswith("b/")]) == 9
    assert holder.run([a, b]).added > 0


def test_ctrl_c_at_a_client_ends_only_its_own_job(scene: Scene) -> None:
    a, b = (texts(scene.library.media / name, 9) for name in "ab")
    scene.holder.run(texts(scene.library.media / "c", 1))
    clients: list[Client] = []

    def stop(now: Progress) -> None:
        raise KeyboardInterrupt

    def run() -> None:
        clients.append(scene.handed_over(lambda other: other.run([b], progress=stop)))

    def stopped() -> None:
        clients[0].join(PATIENCE_S)

    report = scene.run(a, at={1: run, 3: stopped})

    assert isinstance(clients[0].error, KeyboardInterrupt)
    assert report.added == 9
    assert len([name for name in names(scene.library) if name.startswith("b/")]) < 9
    assert len(scene.library.live_rows()) == len(scene.library.items())


def test_a_job_whose_process_went_before_it_began_is_not_done(scene: Scene) -> None:
    a = texts(scene.library.media / "a", 4)
    scene.holder.run(a)
    (a / "new.txt").write_text("new")

    def leave() -> None:
        with connected(scene.library.path) as line:
            line.sendall(encode_job(Job("forget", (bytes(a),))))
            until(lambda: bool(scene.desk.waiting))
        until(lambda: scene.desk.waiting[0].cancelled)

    scene.run(at={1: leave})

    assert len(names(scene.library)) == 5


HOLDING = """
    import sys
    from indexer import Indexer
    from unisearch.config import Settings

    def hook(now):
        print("works", flush=True)
        sys.stdin.readline()

    settings = Settings(library=sys.argv[1], space="toy", index={"commit_every": 1})
    with Indexer(settings=settings) as holder:
        holder.run([sys.argv[2]], progress=hook)
        print("idle", flush=True)
        sys.stdin.read()
"""


@contextmanager
def holding(library: Library, place: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the library and waits after each file for a line."""
    command = [sys.executable, "-c", textwrap.dedent(HOLDING), str(library.path), str(place)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "works\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_client_takes_over_from_a_holder_that_is_killed(
    library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    a, b = (texts(library.media / name, 3) for name in "ab")
    with holding(library, a) as process:
        client = Client(library.settings, lambda other: other.run([b]))
        until(lambda: f"waiting for process {process.pid}" in caplog.text)
        process.kill()

        report = client.end()

    assert report.added == 3
    assert not (library.path / "writer.sock").exists()
    assert library.run().added == 2  # one of the killed run was committed


def test_a_holder_that_is_stopped_does_not_answer(
    library: Library, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    a, b = (texts(library.media / name, 3) for name in "ab")
    with holding(library, a) as process:
        client = Client(library.settings, lambda other: other.run([b]))
        until(lambda: f"waiting for process {process.pid}" in caplog.text)
        assert client.is_alive()  # it is healthy, only busy
        process.send_signal(signal.SIGSTOP)
        monkeypatch.setattr("indexer.ask.SILENT_S", 0.5)

        with pytest.raises(LibraryLocked, match=f"process {process.pid} holds .* does not answer"):
            client.end()
        with pytest.raises(LibraryLocked, match="does not answer"):
            Indexer(settings=library.settings).forget(a)

        monkeypatch.setattr("indexer.ask.SILENT_S", PATIENCE_S)
        process.send_signal(signal.SIGCONT)
        assert process.stdin is not None
        process.stdin.write("\n" * 99)  # its hook is also called for the files of others
        process.stdin.flush()
        assert Indexer(settings=library.settings).run([b]).added == 3


def test_a_lock_without_anybody_to_answer_is_told(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.ask.SILENT_S", 0.3)
    library.fill()
    code = """
        import sys
        from pathlib import Path
        from indexer.lock import take_lock
        handle = take_lock(Path(sys.argv[1]))
        print("locked", flush=True)
        sys.stdin.read()
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(library.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"

        with pytest.raises(LibraryLocked, match=f"process {other.pid} holds"):
            library.run()

        other.communicate()
    assert library.run().added == 4


def test_a_change_that_was_made_is_not_given_back(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = texts(scene.library.media / "a", 3)
    scene.holder.run(a)

    def forever(*given: object) -> Iterator[None]:
        while True:
            time.sleep(0.01)
            yield

    monkeypatch.setattr("indexer.upkeep.Upkeep.steps", forever)
    client = Client(scene.settings, lambda other: other.forget(a))
    until(lambda: scene.library.items() == [])
    monkeypatch.setattr("indexer.holder.LAST_TURNS_S", 0.1)
    scene.holder.close()

    assert client.end() == 3


def test_who_mends_the_library_keeps_others_waiting(library: Library) -> None:
    library.fill()
    with alone(library.path):
        client = Client(library.settings, lambda other: other.run([library.media]))
        with (
            pytest.raises(
                LibraryLocked, match=rf"another process writes \(process {os.getpid()}\)"
            ),
            alone(library.path),
        ):
            pass
        client.join(1.0)
        assert client.is_alive()

    assert client.end().added == 4


def test_a_library_that_cannot_be_opened_is_told_to_everybody(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: object, **named: object) -> None:
        time.sleep(0.3)  # so that another one hands over meanwhile
        raise LibraryDamaged("broken")

    monkeypatch.setattr("indexer.run.open_rooms", refuse)
    a = texts(scene.library.media / "a", 1)
    clients = [Client(scene.settings, lambda other: other.run([a])) for _ in range(3)]

    for client in clients:
        with pytest.raises(LibraryDamaged, match="broken"):
            client.end()


# The socket


@contextmanager
def connected(library: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as line, socket_path(library, SOCKET_FILE) as path:
        line.settimeout(PATIENCE_S)
        line.connect(path)
        yield line


@pytest.mark.parametrize(
    "said",
    [
        b"hello\n",
        b"\xff\x00\n",
        b"[" * 100_000 + b"\n",
        b'{"v":2,"job":"index"}\n',
        b'{"v":1,"job":"drop"}\n',
        b'{"v":1,"job":"forget","paths":["Lw=="],"gently":true}\n',
        b'{"v":1,"job":"forget","paths":["!"]}\n',
        b'{"v":1,"job":"forget","paths":["YQ=="]}\n',
        b'{"v":1,"job":"tag","items":["1"]}\n',
        encode_job(Job("tag", (), (1,), ("x",))) + b"more\n",
        b"x" * (MAX_LINE_BYTES + 1),
    ],
    ids=[str(number) for number in range(11)],
)
def test_nonsense_is_answered_in_one_line_and_does_no_harm(scene: Scene, said: bytes) -> None:
    scene.holder.run(texts(scene.library.media / "a", 1))

    with connected(scene.library.path) as line:
        line.sendall(said)
        came = line.makefile("rb").read()

    assert came.count(b"\n") == 1
    assert "not understood" in str(decode_answer(came))
    assert Indexer(settings=scene.settings).run([texts(scene.library.media / "b", 2)]).added == 2


def test_connections_that_say_nothing_are_no_burden(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.desk.PATIENCE_S", 0.3)
    scene.holder.run(texts(scene.library.media / "a", 1))

    with connected(scene.library.path) as line:
        line.sendall(b'{"v":1,')
        assert line.recv(1) == b""


def test_a_client_that_does_not_read_stops_nobody(scene: Scene) -> None:
    a = texts(scene.library.media / "a", 1)
    scene.holder.run(a)

    with connected(scene.library.path) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        line.sendall(encode_job(Job("forget", (b"/" + b"x" * 300_000,))))
        assert (
            Indexer(settings=scene.settings).run([texts(scene.library.media / "b", 2)]).added == 2
        )


def test_the_socket_is_for_its_owner_alone(scene: Scene) -> None:
    scene.holder.run(texts(scene.library.media / "a", 1))

    assert (scene.library.path / "writer.sock").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for another user")
def test_another_user_is_not_heard(scene: Scene) -> None:
    scene.holder.run(texts(scene.library.media / "a", 1))
    os.chmod(scene.library.path / "writer.sock", 0o666)  # noqa: PTH101 (as if that had failed)
    code = """
        import os, socket, sys
        folder = os.open(sys.argv[1], os.O_RDONLY)
        line = socket.socket(socket.AF_UNIX)
        os.fchdir(folder)
        os.setuid(65534)
        line.connect("writer.sock")
        try:
            line.sendall(sys.argv[2].encode() + b"\\n")
            print(line.recv(100))
        except (BrokenPipeError, ConnectionResetError):
            print(b"")
    """
    job = encode_job(Job("forget", (bytes(scene.library.media),))).decode().strip()

    said = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(scene.library.path), job],
        capture_output=True, check=True,
    )  # fmt: skip

    assert said.stdout == b"b''\n"
    assert len(names(scene.library)) == 1


def test_a_library_with_a_long_path_hands_over_too(tmp_path: Path, library: Library) -> None:
    deep = tmp_path.joinpath(*["a long name of a folder"] * 9)
    a, b = (texts(library.media / name, 2) for name in "ab")
    settings = Settings(library=deep / "library", space="toy")

    with Indexer(settings=settings) as holder:
        holder.run([a])
        asking = Asking(settings.library, Job("forget", (bytes(a),)))
        forgotten = asking.ask()
        report = Indexer(settings=settings).run([b])

    assert len(bytes(deep)) > 108
    assert (forgotten, report.added) == (2, 2)
    assert not (deep / "library" / "writer.sock").exists()
