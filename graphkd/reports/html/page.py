"""The report as a page."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from graphkd.reports.groups import Group, Row
from graphkd.reports.html.classes import classes
from graphkd.reports.html.curves import curves
from graphkd.reports.html.latency import latency
from graphkd.reports.html.settings import differences, made_by
from graphkd.reports.html.tags import Html, joined, table, tag
from graphkd.reports.score_table import NOTE, ScoreTable, one_line

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>graphkd report</title>
<style>
{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""

MOST_OPEN = 3
"""Number of runs up to which what belongs to each is open at first."""


def to_html(groups: Sequence[Group]) -> str:
    """Formats the report as a page: tables and differences of every group, and a section per run.

    The page needs no other file and no script; equal runs give equal text.

    Raises:
        GraphKDError: a run's log or ``bench.json`` is damaged.
    """
    count = sum(len(group.rows) for group in groups)
    head = tag("h1", "graphkd report")
    sections = [_group(number, group, count <= MOST_OPEN) for number, group in enumerate(groups, 1)]
    style = files("graphkd.reports.html").joinpath("page.css").read_text("utf-8")
    body = joined([head, *sections, tag("footer", tag("p", NOTE))], "\n")
    return PAGE.format(style=style, body=body)


def _group(number: int, group: Group, is_open: bool) -> Html:
    """Formats the scores of a group, what differs, and its runs."""
    anchors = [f"run-{number}-{at}" for at in range(1, len(group.rows) + 1)]
    scores = ScoreTable.of(group)
    rows = [
        [tag("a", str(at), href=f"#{anchor}"), *map(_unbroken, row)]
        for at, (anchor, row) in enumerate(zip(anchors, scores.rows, strict=True), 1)
    ]
    head = ["row", *scores.headings]
    runs = [
        _run(at, row, anchor, is_open) for at, (row, anchor) in enumerate(zip(group.rows, anchors, strict=True), 1)
    ]
    title = tag("h2", one_line(group.title))
    numeric = [True, *scores.numeric]
    return tag("section", joined([title, table(head, rows, numeric, "scores"), differences(group), *runs], "\n"))


def _unbroken(cell: str) -> str:
    """Keeps a mean with its spread, and the ends of an interval, on one line."""
    return cell.replace(" ± ", "\u00a0±\u00a0").replace(", +", ",\u00a0+").replace(", -", ",\u00a0-")


def _run(number: int, row: Row, anchor: str, is_open: bool) -> Html:
    """Formats curves, classes, latency and settings of a run, which can be folded away."""
    run = row.run
    summary = tag("summary", tag("h3", f"Row {number}: {one_line(row.label)}"))
    parts = [tag("h4", "Learning curves"), curves(run), classes(run), latency(run), made_by(run)]
    return tag("details", joined([summary, *parts], "\n"), id=anchor, class_="run", open="" if is_open else None)
