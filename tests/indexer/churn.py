"""Things that happen to a folder of media while it is watched."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from tests.indexer.conftest import picture, sound, text


class Tree:
    """Files of unique content in folders, and ways to move them about. Seeded."""

    def __init__(self, folder: Path, files: int, folders: int, seed: int = 1) -> None:
        self.folder = folder
        self.chance = random.Random(seed)
        self.places = [folder / f"folder {number}" for number in range(folders)]
        for number in range(files):
            place = self.places[number % folders]
            text(place / f"note {number}.txt", f"The note of number {number} tells of {number**3}")
        self._names = files

    def moves(self, events: int) -> Iterator[None]:
        """So many renames, of files and of whole folders; a pause may be made after each act."""
        acts: list[Callable[[], int]] = [
            self._move_file, self._swap, self._change_case, self._move_folder, self._save_again,
        ]  # fmt: skip
        done = 0
        while done < events:
            done += self.chance.choice(acts)()
            yield

    def _fresh(self) -> int:
        self._names += 1
        return self._names

    def _file(self) -> Path:
        while True:
            place = self.chance.choice(self.places)
            found = sorted(place.iterdir())
            if found:
                return self.chance.choice(found)

    def _move_file(self) -> int:
        place = self.chance.choice(self.places)
        self._file().rename(place / f"moved {self._fresh()}.txt")
        return 1

    def _swap(self) -> int:
        one, other = self._file(), self._file()
        if one == other:
            return 0
        aside = one.with_name(f"aside {self._fresh()}.txt")
        one.rename(aside)
        other.rename(one)
        aside.rename(other)
        return 3

    def _change_case(self) -> int:
        path = self._file()
        name = path.stem.swapcase() + path.suffix
        if path.with_name(name).exists():
            return 0
        path.rename(path.with_name(name))
        return 1

    def _move_folder(self) -> int:
        number = self.chance.randrange(len(self.places))
        old = self.places[number]
        self.places[number] = old.with_name(f"folder {self._fresh()}")
        old.rename(self.places[number])
        return 1

    def _save_again(self) -> int:
        """As an editor saves: a new file in the old one's place, of the same content."""
        path = self._file()
        new = path.with_name(f".{path.name}.swp")
        new.write_bytes(path.read_bytes())
        new.replace(path)
        return 1


class Churn:
    """Media that come, change, move and go at random. Seeded, but for what time decides."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.folder = folder
        self.chance = random.Random(seed)
        self.files: list[Path] = []
        self.count = 0

    def act(self) -> None:
        """One change."""
        share = self.chance.random()
        if len(self.files) < 20 or (share < 0.4 and len(self.files) < 2_000):
            self._create()
        elif share < 0.6:
            self._edit(self.chance.choice(self.files))
        elif share < 0.8:
            self._move(self.chance.randrange(len(self.files)))
        else:
            self.files.pop(self.chance.randrange(len(self.files))).unlink()

    def go_on(self, seconds: float, per_second: float) -> int:
        """Changes for so long; how many there were."""
        end, done = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            self.act()
            done += 1
            time.sleep(self.chance.expovariate(per_second))
        return done

    def _create(self) -> None:
        suffix = self.chance.choice((".txt", ".txt", ".png", ".wav"))
        path = self._place() / f"{self.count} ä{suffix}"
        self._write(path)
        self.files.append(path)

    def _edit(self, path: Path) -> None:
        if path.suffix == ".png" and self.chance.random() < 0.5:
            pixels = np.full((24, 24, 3), self.count % 256, np.uint8)
            Image.fromarray(pixels).save(path.with_name("new~"), "PNG")
            os.replace(path.with_name("new~"), path)  # noqa: PTH105
        else:
            self._write(path)

    def _move(self, number: int) -> None:
        old = self.files[number]
        self.files[number] = self._place() / f"{self._next()} moved{old.suffix}"
        old.rename(self.files[number])

    def _write(self, path: Path) -> None:
        number = self._next()
        match path.suffix:
            case ".txt":
                text(path, f"Words of {number} and of {number * number}")
            case ".png":
                picture(path, number)
            case _:
                sound(path, 0.3, number)

    def _place(self) -> Path:
        place = self.folder / f"folder {self.chance.randrange(12)}" / f"{self.chance.randrange(3)}"
        place.mkdir(parents=True, exist_ok=True)
        return place

    def _next(self) -> int:
        self.count += 1
        return self.count
