"""Statistics of an influence as Markdown tables with aligned columns."""

from __future__ import annotations

import math
from collections.abc import Sequence

from graphkd.evaluation import Correlation
from graphkd.influence.distribution import QUANTILES
from graphkd.influence.properties import KINDS
from graphkd.runs import InfluenceProfile

NOTE = """\
- Weights of the loss: the factor of each node's term. Variation is their standard deviation over their mean;
  moved is the share of all weight by which they differ from equal ones (total variation). An influence with
  little of either changes little, whatever it ranks by.
- Rank correlations are Spearman's, ties averaged; with whether the teacher is right, 2 AUC − 1 over nodes that
  were not trained on. The 95 % intervals are those of independent nodes, which neighbours are not.
- Feature typicality is the cosine of a node's features with the mean of all unit rows: it knows no edge.
- Betweenness is estimated from 256 drawn sources where there are more nodes, and left out beyond 50,000.
- Homophily (the share of neighbours with the node's label) and the teacher's hits read every known label, those of
  test nodes too. They describe; nothing is selected by them.
"""


def format_tables(profile: InfluenceProfile) -> list[str]:
    """Formats the lines of three tables: distribution, weights of the loss, rank correlations."""
    tables = [_distribution(profile), _terms(profile), _correlations(profile)]
    return [line for table in tables if len(table) > 1 for line in ["", *_aligned(table)]][1:]


def to_markdown(profile: InfluenceProfile, title: str) -> str:
    """Formats ``influence.md``: a heading, the tables, and notes on their figures."""
    return "\n".join([f"# {title}", "", *format_tables(profile), "", NOTE])


def _distribution(profile: InfluenceProfile) -> list[list[str]]:
    distribution = profile.distribution
    values = [distribution.mean, distribution.std, distribution.low, *distribution.quantiles, distribution.high]
    names = ["mean", "std", "min", *(f"{100 * share:.0f} %" for share in QUANTILES), "max"]
    shares = [f"{100 * distribution.zeros:.2f}", f"{100 * distribution.ones:.2f}", str(distribution.distinct)]
    return [
        ["influence", *names, "zeros %", "ones %", "different"],
        ["of a node", *(f"{value:.3f}" for value in values), *shares],
    ]


def _terms(profile: InfluenceProfile) -> list[list[str]]:
    rows = [["weights of the loss", "nodes", "variation %", "moved %"]]
    for name, term in profile.terms.items():
        variation = term.variation
        cells = [str(variation.nodes), f"{100 * variation.coefficient:.2f}", f"{100 * variation.distance:.2f}"]
        rows.append([f"{name}: {term.base:g} + {term.slope:g} I", *cells])
    return rows


def _correlations(profile: InfluenceProfile) -> list[list[str]]:
    rows = [["rank correlation with", "ρ", "95 % interval", "nodes"]]
    for name, correlation in profile.correlations.items():
        rows.append([KINDS[name][1], figure(correlation.value), interval(correlation), str(correlation.n)])
    return rows


def figure(value: float) -> str:
    """Formats a correlation; NaN as a dash."""
    return "–" if math.isnan(value) else f"{value:+z.3f}"


def interval(found: Correlation) -> str:
    """Formats the interval of a correlation; NaN as a dash."""
    return "–" if math.isnan(found.low) else f"{found.low:+z.3f} to {found.high:+z.3f}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Formats lines of equal length, with the first column left-aligned and all others right-aligned."""
    first, *others = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for head, *tail in rows:
        cells = [cell.rjust(width) for cell, width in zip(tail, others, strict=True)]
        lines.append(f"| {' | '.join([head.ljust(first), *cells])} |")
    rule = ["-" * (first + 2), *("-" * (width + 1) + ":" for width in others)]
    return [lines[0], f"|{'|'.join(rule)}|", *lines[1:]]
