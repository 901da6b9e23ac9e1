"""The rank correlations of influences with everything else, as a picture."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphkd.influence.properties import KINDS
from graphkd.plots import png


def draw(rows: list[dict[str, Any]]) -> bytes:
    """A PNG of two heat maps: the published score on every data set; all influences, medians over data sets."""
    from matplotlib.figure import Figure

    datasets, influences = (list(dict.fromkeys(row[key] for row in rows)) for key in ("dataset", "influence"))
    published = [[row[kind] for kind in KINDS] for row in rows if row["influence"] == "infgrand"]
    others = [
        [np.nanmedian([row[kind] for row in rows if row["influence"] == name]) for kind in KINDS]
        for name in influences
    ]
    figure = Figure(figsize=(9, 0.36 * (len(datasets) + len(influences)) + 2.4), layout="constrained")
    panels = figure.subplots(2, 1, sharex=True, height_ratios=[len(datasets), len(influences)])
    titles = ("the published score, by data set", "influences, median over data sets")
    for panel, values, names, title in zip(
        panels, (published, others), (datasets, influences), titles, strict=True
    ):
        image = _heat_map(panel, np.array(values), names)
        panel.set_title(title, fontsize="medium", loc="left")
    labels = [name for _, name in KINDS.values()]
    panels[1].set_xticks(range(len(labels)), labels, rotation=40, ha="right", rotation_mode="anchor")
    figure.colorbar(image, ax=panels, label="rank correlation", shrink=0.6, aspect=30)
    return png(figure, dpi=110)


def _heat_map(panel: Any, values: Any, names: list[str]) -> Any:
    image = panel.imshow(np.ma.masked_invalid(values), cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
    panel.set_yticks(range(len(names)), names)
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)
    for (row, column), value in np.ndenumerate(values):
        colour = "white" if abs(value) > 0.6 else "black"
        text = "–" if np.isnan(value) else f"{value:+z.2f}"
        panel.text(column, row, text, ha="center", va="center", fontsize="small", color=colour)
    return image
