"""The table of a group of runs, as texts without markup."""

from __future__ import annotations

import re
from dataclasses import dataclass

from graphkd.evaluation.figures import heading_of, points, score_text
from graphkd.reports.distinctions import LONGEST
from graphkd.reports.finished import FinishedRun
from graphkd.reports.groups import Group, Row

SCORES = {
    "teacher test": ("teacher", "test"),
    "plain MLP test": ("mlp", "test"),
    "plain MLP, same inputs, test": ("mlp_same_inputs", "test"),
    "student test": ("student", "test"),
    "student hidden test": ("student", "test_ind"),
    "student visible test": ("student", "test_tran"),
}
"""Scores of the metric of a group."""

DETAILS = {"student macro-F1": ("student", "test_macro_f1"), "student ECE": ("student", "test_ece")}
"""Further scores, in percent."""

NOTE = """\
Test scores are those of the epoch that is best on validation: mean ± population standard deviation over seeds.
Differences are in percentage points, over pairs of the same seed, with a 95 % bootstrap interval of their mean;
with few seeds such an interval is too narrow (five: it holds the true mean in 83 % of cases). Row 1 is the first
of its table; where its teacher is another, the difference is that of teacher and student together. What a student
reads is what it needs when it answers; the plain MLP of the same inputs reads that too, and has no teacher.
Macro-F1 weighs every class alike; ECE, the expected calibration error, is how far confidence is from accuracy.
"""


@dataclass(frozen=True)
class ScoreTable:
    """Names, scores and paired differences of the runs of a group.

    Args:
        headings: of the columns; empty columns are omitted.
        rows: cells of each run, one per heading.
    """

    headings: list[str]
    rows: list[list[str]]

    @classmethod
    def of(cls, group: Group) -> ScoreTable:
        """Formats a row per run."""
        rows = [_cells(row, group.rows[0]) for row in group.rows]
        headings = [heading for heading in rows[0] if any(row[heading] for row in rows)]
        return cls(headings, [[row[heading] for heading in headings] for row in rows])

    @property
    def numeric(self) -> list[bool]:
        """Whether each column holds numbers."""
        names = ("seeds", *SCORES, *DETAILS)
        return [heading.removesuffix(" %") in names or "−" in heading for heading in self.headings]


def _cells(row: Row, first: Row) -> dict[str, str]:
    """Returns cells by heading; empty where a column does not apply to this run."""
    run = row.run
    return {
        **{name: one_line(value) for name, value in run.names.items()},
        "differs in": one_line(row.differs_in if len(row.differs_in) <= LONGEST else row.distinction),
        "warning": run.warning,
        "student reads": run.metrics.get("reads", {}).get("student", ""),
        "seeds": str(row.count),
        **_scores(run),
        "student − teacher": "" if row.gain is None else points(row.gain, run.metrics["metric"]),
        "student − row 1": _lead(row, first),
    }


def _scores(run: FinishedRun) -> dict[str, str]:
    """Returns mean and deviation of each score by heading; empty where one is not recorded."""
    columns = {name: (of, run.metrics["metric"]) for name, of in SCORES.items()}
    columns |= {name: (of, of[1]) for name, of in DETAILS.items()}
    found = {heading_of(name, metric): (run.scores(*of), metric) for name, (of, metric) in columns.items()}
    return {name: "" if values is None else score_text(values, metric) for name, (values, metric) in found.items()}


def _lead(row: Row, first: Row) -> str:
    if row is first:
        return ""
    if row.lead is None:
        return "no common seed"
    few = row.lead.n < max(row.count, first.count)
    pairs = f" ({row.lead.n} pair{'s' if row.lead.n > 1 else ''})" if few else ""
    return points(row.lead, row.run.metrics["metric"]) + pairs


def one_line(text: str) -> str:
    """Replaces line breaks and runs of blanks of a user-defined name by one blank."""
    return re.sub(r"\s+", " ", text)
