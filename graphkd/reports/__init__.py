"""Tables and a plot over any finished runs."""

from graphkd.evaluation.figures import percent, points
from graphkd.reports.finished import FinishedRun, find_runs
from graphkd.reports.groups import Group, Row, grouped
from graphkd.reports.html import to_html
from graphkd.reports.latex import to_latex
from graphkd.reports.markdown import to_markdown
from graphkd.reports.plot import draw
from graphkd.reports.sheets import seeds_csv, to_csv
from graphkd.reports.writing import write_report

__all__ = [
    "FinishedRun",
    "Group",
    "Row",
    "draw",
    "find_runs",
    "grouped",
    "percent",
    "points",
    "seeds_csv",
    "to_csv",
    "to_html",
    "to_latex",
    "to_markdown",
    "write_report",
]
