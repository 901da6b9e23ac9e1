"""A measurement as Markdown with aligned columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphkd.evaluation.figures import heading_of, score_text
from graphkd.system import readable

SPEED_UPS = {
    "single_node_with_fetch": "speed-up: one node, with fetch",
    "full_graph_layerwise_per_node": "per node of the full graph, layer-wise",
    "full_graph_at_once_per_node": "at once",
}
"""Headings of the speed-ups."""

NOTES = """\
Speed-ups are ratios of medians, each of like things. One node, with fetch: the student's one row against the
teacher asked for one node, for which it gathers the whole neighbourhood from a graph in memory. Full graph, per
node: a row of the student's largest batch against a node's share of all nodes, computed a hop and a piece of the
graph at a time (layer-wise, at any size), or at once with the normalised graph kept from call to call.
Students: `predict` from Python on rows at hand, with {steps}; propagated rows are at
hand, too, but for the lines that read them from a FeatureStore. ONNX Runtime and native use one thread.
Every call is timed by itself; models take turns; calls that warm up do not count; rows/s are those of the median.
Resident is a fresh process that loads this runtime alone, after one row. The size of native is its C source's.
"""

STEPS = {
    "multilabel": "its checks, preprocessing and thresholds",
    "regression": "its checks and preprocessing",
}
"""What ``predict`` does beside the network, of tasks other than classes."""


def markdown(found: dict[str, Any]) -> str:
    """Formats heading, facts, times, speed-ups and notes.

    Args:
        found: as returned by ``graphkd.commands.bench_record.record``.
    """
    facts = (found["dataset"], f"{found['split']} split", found["setting"])
    heading = " · ".join((*facts, f"{found['teacher']} to {found['method']}", f"seed {found['seed']}"))
    lines = [f"## {heading}", "", *_facts(found), "", *_times(found), "", *_comparison(found), ""]
    return (
        "\n".join(lines)
        + "\n"
        + NOTES.format(steps=STEPS.get(found.get("task", ""), "its checks, preprocessing and argmax"))
        + "".join(f"\n{remark[0].upper()}{remark[1:]}.\n" for remark in found["remarks"])
    )


def _facts(found: dict[str, Any]) -> list[str]:
    machine, graph = found["machine"], found["graph"]
    student, teacher = found["student"], found["teacher_network"]
    packages = ", ".join(f"{name} {of}" for name, of in found["versions"].items())
    load = "unknown" if machine["load_average"] is None else f"{machine['load_average']:.1f}"
    threads = f"{machine['threads']} thread{'s' if machine['threads'] > 1 else ''}"
    widths = "-".join(str(width) for width in student["widths"])
    kind = (
        "dense"
        if student["non_zeros_per_row"] is None
        else f"sparse, {student['non_zeros_per_row']:.1f} non-zeros"
    )
    return [
        f"- machine: {machine['cpu']}, {machine['usable_cpus']} CPUs, {threads}, load average {load}; {packages}",
        f"- student: {widths}, {student['parameters']:,} parameters; rows {_row_kind(student)}, {kind}",
        f"- teacher: {found['teacher']}, {teacher['layers']} layers ({'-'.join(map(str, teacher['widths']))}), "
        f"{teacher['parameters']:,} parameters, beside the graph's {readable(teacher['graph_bytes'])} in memory",
        f"- graph: {graph['nodes']:,} nodes, {graph['edges']:,} edges; for one node the teacher fetches "
        f"{graph['mean_nodes_fetched_for_one']:,.0f} on average",
    ]


def _row_kind(student: dict[str, Any]) -> str:
    features = "raw" if not student["hops"] else f"propagated over {student['hops']} hops"
    if "positions" not in student["reads"]:
        return features
    return "of positions" if student["reads"] == "positions" else f"{features}, with positions"


def _times(found: dict[str, Any]) -> list[str]:
    """Formats a line per model and number of rows."""
    rows = [
        [
            model["name"],
            f"{row['rows']:,}",
            *(_figure(row[part]) for part in ("p50", "p95", "p99")),
            f"{row['rows_per_second']:,.0f}",
            f"{row['calls']:,}",
        ]
        for model in found["models"]
        for row in model["batches"]
    ]
    return table(["model", "rows", "p50 us", "p95 us", "p99 us", "rows/s", "calls"], rows)


def _comparison(found: dict[str, Any]) -> list[str]:
    """Formats a line per model: score, sizes and all speed-ups."""
    ratios = {each["name"]: each for each in found["speed_up"]}
    rows = []
    for model in found["models"]:
        ratio, resident = ratios.get(model["name"]), model["resident_bytes"]
        rows.append(
            [
                model["name"],
                score_text([model["scores"]["test"]], found["metric"]),
                readable(model["bytes"]),
                "" if resident is None else readable(resident),
                *(_times_as_fast(ratio, key) for key in SPEED_UPS),
            ]
        )
    score = heading_of(f"test {found['metric']}", found["metric"])
    return table(["model", score, "size", "resident", *SPEED_UPS.values()], rows)


def _times_as_fast(ratio: dict[str, float | None] | None, key: str) -> str:
    value = None if ratio is None else ratio[key]
    return "" if value is None else f"{_figure(value)} x"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Formats lines of equal length; all columns but the first are right-aligned."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    texts = [
        " | ".join(
            cell.rjust(width) if index else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in (headings, *rows)
    ]
    rule = "|".join("-" * (width + 1) + (":" if index else "-") for index, width in enumerate(widths))
    return [f"| {texts[0]} |", f"|{rule}|", *(f"| {text} |" for text in texts[1:])]


def _figure(value: float) -> str:
    """Formats a number with three significant digits, or as an integer from 100."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"
