"""The report as Markdown with aligned columns."""

from __future__ import annotations

import re
from collections.abc import Sequence

from graphkd.reports.distinctions import LONGEST
from graphkd.reports.figures import percent, points
from graphkd.reports.groups import Group, Row

SCORES = {
    "teacher test %": ("teacher", "test"),
    "plain MLP test %": ("mlp", "test"),
    "plain MLP, same inputs, test %": ("mlp_same_inputs", "test"),
    "student test %": ("student", "test"),
    "student hidden test %": ("student", "test_ind"),
    "student visible test %": ("student", "test_tran"),
    "student macro-F1 %": ("student", "test_macro_f1"),
    "student ECE %": ("student", "test_ece"),
}

NOTE = """\
Test scores are those of the epoch that is best on validation: mean ± population standard deviation over seeds.
Differences are in percentage points, over pairs of the same seed, with a 95 % bootstrap interval of their mean;
with few seeds such an interval is too narrow (five: it holds the true mean in 83 % of cases). Row 1 is the first
of its table; where its teacher is another, the difference is that of teacher and student together. What a student
reads is what it needs when it answers; the plain MLP of the same inputs reads that too, and has no teacher.
Macro-F1 weighs every class alike; ECE, the expected calibration error, is how far confidence is from accuracy.
"""


def to_markdown(groups: Sequence[Group]) -> str:
    """Formats a heading and a table per group, and a note on the figures."""
    tables = [
        f"## {_plain(group.title)}\n\n" + "\n".join([*_table(group), *_settings(group)]) + "\n" for group in groups
    ]
    return "\n".join([*tables, NOTE])


def _settings(group: Group) -> list[str]:
    """Returns lines that name the settings in which runs differ, since differences mix their effects."""
    keys = ", ".join(_plain(key) for key in group.differing)
    return ["", f"Runs of this table differ in {keys}, beside the named parts."] if keys else []


def _table(group: Group) -> list[str]:
    """Returns lines of equal length; empty columns are omitted."""
    rows = [_cells(row, group.rows[0]) for row in group.rows]
    headings = [heading for heading in rows[0] if any(row[heading] for row in rows)]
    widths = {heading: max(len(heading), *(len(row[heading]) for row in rows)) for heading in headings}
    numeric = {heading for heading in headings if heading == "seeds" or "%" in heading or "−" in heading}
    lines = [{heading: heading for heading in headings}, *rows]
    text = [
        " | ".join(
            line[heading].rjust(widths[heading]) if heading in numeric else line[heading].ljust(widths[heading])
            for heading in headings
        )
        for line in lines
    ]
    rule = "|".join("-" * (widths[h] + 1) + (":" if h in numeric else "-") for h in headings)
    return [f"| {text[0]} |", f"|{rule}|", *(f"| {line} |" for line in text[1:])]


def _cells(row: Row, first: Row) -> dict[str, str]:
    """Returns cells by heading; empty where a column does not apply to this run."""
    run = row.run
    scores = {name: run.scores(part, column) for name, (part, column) in SCORES.items()}
    return {
        **{name: _plain(value) for name, value in run.names.items()},
        "differs in": _plain(row.differs_in if len(row.differs_in) <= LONGEST else row.distinction),
        "warning": run.warning,
        "student reads": run.metrics.get("reads", {}).get("student", ""),
        "seeds": str(row.count),
        **{name: "" if values is None else percent(values) for name, values in scores.items()},
        "student − teacher": "" if row.gain is None else points(row.gain),
        "student − row 1": _lead(row, first),
    }


def _lead(row: Row, first: Row) -> str:
    if row is first:
        return ""
    if row.lead is None:
        return "no common seed"
    few = row.lead.n < max(row.count, first.count)
    return points(row.lead) + (f" ({row.lead.n} pair{'s' if row.lead.n > 1 else ''})" if few else "")


def _plain(text: str) -> str:
    """Escapes characters of user-defined names that would end a cell or a line."""
    return re.sub(r"\s+", " ", text).replace("|", r"\|")
