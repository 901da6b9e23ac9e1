"""What a run shows of itself, whether it is in memory or was read from its folder."""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from graphkd.runs.history import curves_of, history_of
from graphkd.runs.metrics import PLAIN
from graphkd.runs.table import format_table, heading_of, rows_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


class RunView(ABC):
    """Scores, history and learning curves of a run, and how a notebook shows it."""

    @property
    @abstractmethod
    def metrics(self) -> dict[str, Any]:
        """The contents of ``metrics.json``."""

    @property
    @abstractmethod
    def log(self) -> list[dict[str, Any]]:
        """The lines of ``log.jsonl``."""

    @property
    def history(self) -> pd.DataFrame:
        """One row per seed, stage and epoch: the loss, each of its terms, and the validation score ``val``."""
        return history_of(self.log)

    @property
    def scores(self) -> pd.DataFrame:
        """One row per seed and model (teacher, plain MLPs, student), one column per score, as fractions."""
        import pandas as pd

        rows = [
            {"seed": seed["seed"], "model": part, **seed[part]}
            for seed in self.metrics["seeds"]
            for part in ("teacher", *PLAIN, "student")
            if part in seed
        ]
        return pd.DataFrame(rows)

    def plot(self) -> Figure:
        """Draws the learning curves: loss and validation score of every stage.

        Returns:
            A matplotlib figure, which a notebook shows; ``figure.savefig("curves.png")`` writes it.

        Raises:
            GraphKDError: matplotlib is not installed.
        """
        metrics = self.metrics
        best = {
            (seed["seed"], stage): epoch
            for seed in metrics["seeds"]
            for stage, epoch in seed["best_epoch"].items()
        }
        return curves_of(self.history, metrics.get("selected_by", metrics["metric"]), best)

    def __repr__(self) -> str:
        return "\n".join(format_table(self.metrics))

    def _repr_html_(self) -> str:
        columns, rows = rows_of(self.metrics)
        head = _cells("th", ["", "", "reads", *columns])
        body = "".join(_cells("td", [row.role, row.name, row.reads, *row.scores]) for row in rows)
        caption = f"<caption>{html.escape(heading_of(self.metrics))}</caption>"
        return f"<table>{caption}<thead>{head}</thead><tbody>{body}</tbody></table>"


def _cells(tag: str, texts: list[str]) -> str:
    """Returns a row of a table in HTML."""
    return f"<tr>{''.join(f'<{tag}>{html.escape(text)}</{tag}>' for text in texts)}</tr>"
