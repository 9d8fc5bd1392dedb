from __future__ import annotations

from pathlib import Path

import pytest

from indexer.run import Indexer
from unisearch.catalog import place
from unisearch.catalog.open import Catalog
from unisearch.catalog.place import mounted, refuse_network
from unisearch.errors import LibraryError

MOUNTS = r"""
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
31 27 0:40 / /mnt/nas rw,relatime shared:1 - nfs4 nas:/export rw,vers=4.2
32 31 8:1 / /mnt/nas/usb rw - ext4 /dev/sda1 rw
33 27 0:41 / /mnt/my\040share rw - cifs //server/share rw
34 27 0:42 / /home/me/far rw - fuse.sshfs me@host: rw
35 27 0:43 / /twice rw - nfs old:/ rw
36 35 8:2 / /twice rw - xfs /dev/sdb1 rw
37 27 0:44 / /data/nas rw - nfs4 nas:/data rw
38 27 8:3 / /data rw - ext4 /dev/sdc1 rw
39 38 0:45 / /data/new rw - fuse.mount-s3 mountpoint-s3 rw
40 27 8:4 / /mnt/a\rb rw - ext4 /dev/sdd1 rw
41 40 0:46 / /mnt/a\rb/far rw - orangefs tcp://far rw

42 27
""".lstrip()


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    """A list of mounts."""
    file = tmp_path / "mountinfo"
    file.write_bytes(MOUNTS.replace(r"\r", "\r").encode())
    return file


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/mnt/nas/library", "nfs4"),
        ("/mnt/nas", "nfs4"),
        ("/mnt/my share/a/b", "cifs"),
        ("/home/me/far/library", "fuse.sshfs"),
        ("/data/new/library", "fuse.mount-s3"),
        ("/mnt/a\rb/far", "orangefs"),
    ],
)
def test_a_library_on_a_network_file_system_is_refused(
    mounts: Path, folder: str, kind: str
) -> None:
    with pytest.raises(LibraryError, match="lies on a network file system") as caught:
        refuse_network(Path(folder), mounts)

    assert f"({kind} at " in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "folder",
    [
        "/home/me",
        "/mnt/nasty/library",
        "/mnt/nas/usb/library",
        "/twice/library",
        "/data/nas/library",
        "/mnt/a\rb/library",
        "/",
    ],
)
def test_a_local_folder_beside_or_below_a_network_one_is_no_matter(
    mounts: Path, folder: str
) -> None:
    refuse_network(Path(folder), mounts)


def test_a_link_into_a_network_file_system_is_followed(tmp_path: Path) -> None:
    far = tmp_path / "far"
    far.mkdir()
    (tmp_path / "link").symlink_to(far)
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 0 0:1 / / rw - ext4 /dev/vda rw\n2 1 0:2 / {far} rw - nfs nas:/ rw\n")

    assert mounted(tmp_path / "link" / "library", mounts) == ("nfs", bytes(far))


def test_this_system_tells_its_file_systems(tmp_path: Path) -> None:
    assert mounted(Path("/proc/self"))[0] == "proc"
    refuse_network(tmp_path)
    assert mounted(tmp_path, tmp_path / "none") == ("", b"")  # a system without a list


def test_no_library_is_made_or_opened_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Catalog.create(tmp_path / "catalog.db").close()
    kind, _ = mounted(tmp_path)
    monkeypatch.setattr(place, "NETWORK", frozenset([kind]))

    with pytest.raises(LibraryError, match="network file system"):
        Catalog.open(tmp_path / "catalog.db")
    with pytest.raises(LibraryError, match="network file system"):
        Indexer(tmp_path / "new").run([])
    assert not (tmp_path / "new").exists()
