"""The figures of the search benchmark as JSON lines and as a Markdown table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from tests.bench.data import KINDS
from tests.bench.engines import CONTENDERS
from tests.bench.sweep import TARGET, label

Figures = dict[str, Any]
HEAD = (
    "| engine | setting | recall same / cross | p50 same / cross, ms | p99, ms | QPS same / cross "
    "| bytes per vector, memory | disk | build, s | open, s | yardstick, ms |"
)


def lines(result: Figures, n: int) -> Iterator[str]:
    """A JSON line for each setting of an engine, or one with its problem."""
    shared = {"what": "vector search", "engine": result["engine"], "rows": n}
    if "search" not in result:
        yield rounded({**shared, **result})
        return
    search = dict(result["search"])
    settings = search.pop("rows")
    yield rounded({**shared, "build": result["build"], **search})
    for row in settings:
        yield rounded({**shared, **row})


def table(results: Sequence[Figures], n: int) -> str:
    """The Markdown table: two rows for each engine, see `chosen`."""
    columns = HEAD.count("|") - 1
    rows = [HEAD, "|---" * columns + "|"]
    for result in results:
        title = CONTENDERS[result["engine"]].title
        if "search" in result:
            rows += engine_rows(title, result, n)
        else:
            rows.append(f"| {title} | {problem(result, n)} " + "| " * (columns - 2) + "|")
    return "\n".join(rows)


def engine_rows(title: str, result: Figures, n: int) -> Iterator[str]:
    """One row for both kinds of query, and one for 'same' alone where that is faster."""
    search, build = result["search"], result["build"]
    costs = (
        f"{search['memory_bytes']['anonymous'] / n:.0f} | {search['disk_bytes'] / n:.0f} "
        f"| {build['cpu_s']:.0f} | {search['first_answer_s']:.2f} | {max(search['yard_ms']):.1f}"
    )
    both = chosen(search["rows"], KINDS)
    alone = chosen(search["rows"], KINDS[:1])
    yield f"| **{title}** | {label(both['setting'])} | {figures(both)} | {costs} |"
    if alone is not both:
        yield f"| same only | {label(alone['setting'])} | {figures(alone)} | | | | | |"


def chosen(rows: Sequence[Figures], kinds: Sequence[str]) -> Figures:
    """The fastest setting whose recall of these kinds is enough; else the one with the most."""
    timed = [row for row in rows if "p50_ms_same" in row]
    enough = [row for row in timed if worst(row, kinds) >= TARGET]
    if enough:
        return min(enough, key=lambda row: sum(row[f"p50_ms_{kind}"] for kind in kinds))
    return max(timed, key=lambda row: worst(row, kinds))


def worst(row: Figures, kinds: Sequence[str]) -> float:
    """The lower recall of the kinds."""
    return min(float(row[f"recall_{kind}"]) for kind in kinds)


def figures(row: Figures) -> str:
    """The cells of what a setting reaches and takes; what misses the target is in brackets."""
    shown = " / ".join(
        f"{row[name]:.3f}" if row[name] >= TARGET else f"({row[name]:.3f})"
        for name in ("recall_same", "recall_cross")
    )
    pairs = {
        name: [row[f"{name}_{kind}"] for kind in KINDS] for name in ("p50_ms", "p99_ms", "qps")
    }
    p50 = " / ".join(f"{value:.2f}" for value in pairs["p50_ms"])
    p99 = " / ".join(f"{value:.2f}" for value in pairs["p99_ms"])
    qps = " / ".join(f"{value:,.0f}" for value in pairs["qps"])
    return f"{shown} | {p50} | {p99} | {qps}"


def problem(result: Figures, n: int) -> str:
    """Why an engine has no figures."""
    build = result.get("build") or {}
    if "problem" not in result:
        return f"built in {build['cpu_s']:.0f} s"
    if build and not build["finished"]:
        return f"{result['problem']}: {build['rows']:,} of {n:,} rows"
    return str(result["problem"])


def rounded(figures: Figures) -> str:
    """JSON with numbers of four digits."""
    return json.dumps(
        json.loads(json.dumps(figures), parse_float=lambda x: float(f"{float(x):.4g}"))
    )
