"""Plot of a measurement: test score against latency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphkd.commands.bench_calls import AT_ONCE, LAYERWISE
from graphkd.evaluation.figures import axis_label, factor_of
from graphkd.plots import literal, png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKERS = ("o", "s", "^", "v", "D", "P", "X", "<", ">", "*")


def score_against_latency(found: dict[str, Any]) -> bytes:
    """Draws a PNG with a marker per model at the median latency of one row; a bar extends to the 95th percentile.

    For full-graph inference, the time per node is shown.

    Args:
        found: as returned by ``graphkd.commands.bench_record.record``.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 4.2), layout="constrained")
    panel = figure.subplots()
    for i, model in enumerate(found["models"]):
        _mark(panel, model, MARKERS[i % len(MARKERS)], factor_of(found["metric"]))
    panel.set_xscale("log")
    panel.set_xlabel("microseconds per answer, median and 95th percentile")
    panel.set_ylabel(axis_label("test", found["metric"]))
    panel.grid(color="0.9", which="major")
    panel.set_axisbelow(True)
    panel.margins(y=0.2)
    panel.spines[["top", "right"]].set_visible(False)
    machine = found["machine"]
    title = f"{found['dataset']} · {found['teacher']} to {found['method']} · {machine['cpu']}"
    panel.set_title(literal(title), fontsize="medium", loc="left")
    figure.legend(loc="outside right upper", frameon=False, fontsize="small")
    return png(figure)


def _mark(panel: Axes, model: dict[str, Any], marker: str, factor: float) -> None:
    row = model["batches"][0]
    share = row["rows"] if model["name"] in (LAYERWISE, AT_ONCE) else 1
    middle, high = row["p50"] / share, row["p95"] / share
    colour = "0.4" if model["role"] == "teacher" else None
    score = factor * model["scores"]["test"]
    bar = [[0.0], [high - middle]]
    label = model["name"] + (", per node" if share > 1 else "")
    panel.errorbar([middle], [score], xerr=bar, fmt=marker, color=colour, label=label, capsize=2, alpha=0.8)
