"""Losses and scores of every epoch, as a data frame and as learning curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphkd.evaluation.figures import axis_label, factor_of
from graphkd.plots import check_plot

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def history_of(log: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Returns one row per seed, stage and epoch: ``seed``, ``stage``, ``epoch``, ``loss``, its terms, ``val``.

    A term that a stage does not have is NaN.

    Args:
        log: lines of ``log.jsonl``.

    >>> history_of([{"seed": 0, "stage": "teacher", "epoch": 0, "loss": 2.0, "val": 0.5}])
       seed    stage  epoch  loss  val
    0     0  teacher      0   2.0  0.5
    """
    import pandas as pd

    return pd.DataFrame(log)


def curves_of(history: pd.DataFrame, metric: str, best: dict[tuple[int, str], int]) -> Figure:
    """Draws the loss (above) and the validation score (below) of every stage, one line per seed.

    Args:
        history: see ``history_of``.
        metric: of the validation score.
        best: (seed, stage) → epoch of the weights that were kept, which is marked.

    Raises:
        GraphKDError: matplotlib is not installed.
    """
    check_plot()
    from matplotlib.figure import Figure

    stages = list(dict.fromkeys(history["stage"]))
    figure = Figure(figsize=(3.2 * len(stages), 4.6), layout="constrained")
    panels = figure.subplots(2, len(stages), squeeze=False, sharex="col")
    for column, stage in enumerate(stages):
        rows = history[history["stage"] == stage]
        for seed, lines in rows.groupby("seed"):
            _draw(list(panels[:, column]), lines, best.get((seed, stage)), factor_of(metric))
        panels[0, column].set_title(stage)
        panels[1, column].set_xlabel("epoch")
    panels[0, 0].set_ylabel("loss")
    panels[1, 0].set_ylabel(axis_label("validation", metric))
    return figure


def _draw(panels: Sequence[Axes], lines: pd.DataFrame, best: int | None, factor: float) -> None:
    """Draws one seed of one stage, with a dot at its best epoch."""
    for panel, values in zip(panels, (lines["loss"], factor * lines["val"]), strict=True):
        (line,) = panel.plot(lines["epoch"], values, linewidth=1)
        if best is not None and best < len(values):
            panel.plot([best], [values.iloc[best]], "o", color=line.get_color(), markersize=4)
        panel.grid(color="0.9")
        panel.spines[["top", "right"]].set_visible(False)
    if (lines["loss"] > 0).all():
        panels[0].set_yscale("log")
