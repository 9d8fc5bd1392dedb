"""Meshes by the name of a concept."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from unisearch.errors import UnknownName
from unisearch.records import TriangleMesh
from unisearch.world import (
    animals,
    buildings,
    creatures,
    food,
    furniture,
    household,
    music,
    nature,
    things,
    vehicles,
)
from unisearch.world.chance import Chance
from unisearch.world.shapes import Model, turn

Builder = Callable[[Model, Chance], None]


def _facing_front(builders: Mapping[str, Builder]) -> dict[str, Builder]:
    """Animals and vehicles are drawn along +x; a finished mesh looks along +z."""

    def turned(builder: Builder) -> Builder:
        def build(model: Model, chance: Chance) -> None:
            with model.placed(turned=turn(y=-90)):
                builder(model, chance)

        return build

    return {name: turned(builder) for name, builder in builders.items()}


BUILDERS: dict[str, Builder] = {
    **_facing_front(animals.BUILDERS),
    **_facing_front(creatures.BUILDERS),
    **_facing_front(vehicles.BUILDERS),
    **furniture.BUILDERS,
    **household.BUILDERS,
    **music.BUILDERS,
    **nature.BUILDERS,
    **food.BUILDERS,
    **buildings.BUILDERS,
    **things.BUILDERS,
}


def make_mesh(concept: str, seed: int) -> TriangleMesh:
    """A mesh of the concept, y up, centred; size, colours, parts and style follow the seed.

    Raises UnknownName for a concept that is not in CONCEPTS.
    """
    if concept not in BUILDERS:
        raise UnknownName("concept", concept, BUILDERS)
    model, chance = Model(), Chance("mesh", concept, seed)
    stretch = 1 + np.clip(chance.rng.normal(0, 0.05, 3), -0.12, 0.12)
    with model.placed(size=stretch):
        BUILDERS[concept](model, chance)
    return model.mesh()


def make_junk_mesh(seed: int) -> TriangleMesh:
    """Coloured solids put together at random: a shape and its colours without a meaning."""
    model, chance = Model(), Chance("mesh", "junk", seed)
    palette = [chance.color() for _ in range(chance.whole(1, 4))]
    for _ in range(chance.whole(1, 9)):
        at, size = chance.rng.uniform(-0.6, 0.6, 3), chance.rng.uniform(0.08, 0.55, 3)
        color, turned = chance.pick(palette), turn(*chance.rng.uniform(-180, 180, 3))
        kind = chance.pick(["box", "ball", "rod", "ring", "lathe"])
        if kind == "box":
            model.box(at, size * 1.6, color, turned, top=chance.pick([1.0, 1.0, 0.5]))
        elif kind == "ball":
            model.ball(at, size, color, turned)
        elif kind == "rod":
            model.rod(
                at, at + turned @ [0, 2 * size[1], 0], size[0] / 2, color, chance.pick([0.0, None])
            )
        elif kind == "ring":
            model.ring(at, size[0] + 0.1, size[1] / 4, color, turned)
        else:
            heights = np.linspace(-size[1], size[1], 6)
            model.lathe(
                np.stack([chance.rng.uniform(0.1, 0.5, 6), heights], axis=1), color, at, turned
            )
    return model.mesh()
