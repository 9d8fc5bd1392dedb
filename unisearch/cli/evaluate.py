"""unisearch evaluate: how well a space finds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unisearch.cli import values
from unisearch.cli.door import door
from unisearch.cli.paths import given_path
from unisearch.cli.show import console, counted, print_json, table
from unisearch.errors import UnisearchError, UsageError

if TYPE_CHECKING:
    from unisearch.training.evaluate import Evaluation
    from unisearch.training.measure import Measured
    from unisearch.training.published import Compared, Recipe

SHOWN_FAILURES = 20


def evaluate(
    ctx: typer.Context,
    space: Annotated[
        str | None,
        typer.Argument(
            metavar="SPACE",
            help="The space; else the configured one.",
            autocompletion=values.spaces,
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Argument(
            parser=given_path, metavar="DIR", help="Your media with a table; see docs/evaluate.md."
        ),
    ] = None,
    template: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT",
            help="What a class is called, {} for its name; several are averaged.",
        ),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Compute a published table again from the media in DIR, named as published.",
        ),
    ] = None,
    corpus: Annotated[
        Path | None,
        typer.Option(
            parser=given_path,
            metavar="DIR",
            help="Also measure on its files that training never saw.",
        ),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            parser=given_path, metavar="DIR", help="Keep unpacked files here for the next time."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure how well a space finds.

    On the media in DIR: every pair of kinds by a table pairs.csv of what belongs together, and the
    share of files that get the right name by labels.csv or a folder for each class. With
    --recipe the tables that authors print beside their examples, ours beside theirs; exit code 1
    where they differ by more than the tolerance.

    Without DIR the sample world is asked: 12 pairs of kinds, known concepts, instances that
    training never saw, chance and a cheap baseline beside them. Names of files play no part.
    """
    check_options(folder, template, recipe, corpus, cache)
    from unisearch.wiring import open_space, read_options

    settings = door(ctx).settings(space=space)
    wanted = recipe_named(recipe) if recipe else None
    opened = open_space(settings, settings.space)
    options = read_options(settings, opened)
    if folder is None:
        from unisearch.training.evaluate import evaluate_starter

        result = evaluate_starter(opened, corpus, cache=cache, progress=say)
        show(result.to_json(), as_json, lambda: print_evaluation(result))
    elif wanted is None:
        from unisearch.training.measure import measure_folder

        measured = measure_folder(opened, folder, options, templates=template or (), tell=say)
        show(measured.to_json(), as_json, lambda: print_measured(measured))
    else:
        from unisearch.training.published import compare

        compared = compare(opened, wanted, folder, options, say)
        facts = {
            "space": opened.id, "recipe": wanted.name, "source": wanted.source,
            "tables": [one.to_json() for one in compared],
        }  # fmt: skip
        show(facts, as_json, lambda: print_compared(wanted, compared))
        refuse_others(compared)


def check_options(
    folder: Path | None,
    template: list[str] | None,
    recipe: str | None,
    corpus: Path | None,
    cache: Path | None,
) -> None:
    """Raises UsageError for options that say nothing together."""
    if folder is None and (template or recipe):
        raise UsageError(f"{'--recipe' if recipe else '--template'} needs DIR, a folder of media")
    if folder is not None and (corpus or cache):
        raise UsageError("--corpus and --cache are of the sample world: leave out DIR, or them")
    if recipe and template:
        raise UsageError("--recipe brings its own texts: leave out --template")


def recipe_named(name: str) -> Recipe:
    """The recipe; raises UnknownName before any network is loaded."""
    from unisearch.training.published import recipe_of

    return recipe_of(name)


def refuse_others(compared: list[Compared]) -> None:
    """Raises UnisearchError when tables differ from the published ones."""
    others = [one for one in compared if not one.agrees]
    if others:
        worst = max(one.difference for one in others)
        raise UnisearchError(
            f"{counted(len(others), 'table')} of {len(compared)} differ from the published ones by"
            f" more than the tolerance, by up to {worst:.4f}: other weights, media or preparation"
        )


def say(line: str) -> None:
    """One line of progress."""
    print(line, file=sys.stderr, flush=True)


def show(facts: dict[str, Any], as_json: bool, for_people: Callable[[], None]) -> None:
    """The result, in one of both forms."""
    if as_json:
        print_json(facts)
    else:
        for_people()


def print_evaluation(result: Evaluation) -> None:
    """All rows as a table, and the world's means below."""
    print_table(*result.table())
    means = result.world()
    console().print(
        f"world mAP: mean {means['mean']:.3f}, worst pair {means['worst']:.3f}, "
        f"pairs without pictures {means['without_pictures']:.3f}"
    )


def print_measured(measured: Measured) -> None:
    """Pairs, names of classes, and what was left out."""
    from unisearch.training.evaluate import TITLES, cells

    out = console()
    if measured.rows:  # a baseline is of the sample world alone
        print_table(TITLES[:-1], [cells(row)[:-1] for row in measured.rows])
    if measured.zero_shot:
        titles = ["files by name", "files", "classes", "top 1", "top 5", "mean of classes", "mAP"]
        rows = []
        for one in measured.zero_shot:
            shares = (one.top_1, one.top_5, one.per_class, one.precision)
            figures = [f"{100 * share:.1f}" for share in shares]
            rows.append([one.modality, str(one.files), str(one.classes), *figures])
        print_table(titles, rows)
    for modality, count in measured.skipped.items():
        out.print(f"left out, the space has no {modality}: {count:,}", soft_wrap=True)
    if measured.failed:
        failures = table("failed", "why")
        for path, why in measured.failed[:SHOWN_FAILURES]:
            failures.add_row(path, why)
        out.print(failures)
        out.print(f"{counted(len(measured.failed), 'file')} failed, left out of every figure")


def print_compared(recipe: Recipe, compared: list[Compared]) -> None:
    """Ours beside theirs, a row for each thing."""
    titles = ["pair", "of", "published", "here", "greatest difference", "tolerance"]
    rows = []
    for one in compared:
        for place, thing in enumerate(recipe.things):
            shares = [
                " ".join(f"{x:.4f}" for x in side[place]) for side in (one.published, one.ours)
            ]
            name = f"{one.asked} → {one.target} {one.setting}".rstrip()
            verdict = [f"{one.difference:.4f}", f"{one.tolerance:g}"]
            rows.append([*([name] if not place else [""]), thing, *shares,
                         *(verdict if not place else ["", ""])])  # fmt: skip
    print_table(titles, rows)
    console().print(f"published: {recipe.source}; columns: {', '.join(recipe.things)}")


def print_table(titles: list[str], rows: list[list[str]]) -> None:
    """A table whose columns after the first hold numbers."""
    shown = table(*titles, right=titles[1:])
    for row in rows:
        shown.add_row(*row)
    console().print(shown)
