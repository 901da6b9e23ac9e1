"""Differences to each family's reference; python experiments/ablations/plot.py FOLDER [PICTURE]"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
from tables import ALL
from variants import FAMILIES


def plot(found: pd.DataFrame, path: Path) -> None:
    """A row per variant: a grey dot per data set, and the mean over all runs with its interval of 95 %.

    Args:
        found: contents of ``differences.csv``.
        path: of the picture.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    families = [name for name in FAMILIES if (found.family == name).any()]
    counts = [found[found.family == name].variant.nunique() for name in families]
    figure, axes = pyplot.subplots(
        len(families), 1, figsize=(8, 1 + 0.28 * sum(counts) + 0.5 * len(families)), squeeze=False,
        gridspec_kw={"height_ratios": counts}, layout="constrained",
    )  # fmt: skip
    for axis, name in zip(axes[:, 0], families, strict=True):
        mine = found[found.family == name]
        variants = list(dict.fromkeys(mine.variant))
        for row, variant in enumerate(reversed(variants)):
            cells = mine[(mine.variant == variant) & (mine.part != ALL)]
            axis.plot(cells["mean"], [row] * len(cells), "o", color="0.7", markersize=4)
            over = mine[(mine.variant == variant) & (mine.part == ALL)]
            axis.hlines([row] * len(over), over.low, over.high, color="C0")
            axis.plot(over["mean"], [row] * len(over), "D", color="C0", markersize=5)
        axis.set_ylim(-0.6, len(variants) - 0.4)
        axis.axvline(0, color="0.4", linewidth=0.8)
        axis.set_yticks(range(len(variants)), list(reversed(variants)))
        axis.set_title(f"{FAMILIES[name].title}, minus {FAMILIES[name].reference}", fontsize=9, loc="left")
    axes[-1, 0].set_xlabel("points of test accuracy; grey: data sets, blue: all runs and 95 %")
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    plot(pd.read_csv(folder / "differences.csv"), Path(sys.argv[2]) if len(sys.argv) > 2 else folder / "plot.png")
