"""The folder of a finished search."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

from graphkd.atomic_io import as_path, read_json

if TYPE_CHECKING:
    import pandas as pd

    from graphkd.deploy import Predictor
    from graphkd.saved_run import SavedRun

SUMMARY, TRIALS, WINNER, PLAIN = "tune.json", "trials.csv", "winner", "plain_mlp"
"""Names in the folder: what was chosen, all candidates, and the runs of the winner and of the best plain MLP."""


class Tuned:
    """A finished search, read from its folder.

    Args:
        path: of the folder that ``graphkd tune`` wrote.

    Raises:
        GraphKDError: the folder holds no finished search.

    >>> import tempfile, graphkd
    >>> try:
    ...     Tuned(tempfile.mkdtemp())
    ... except graphkd.GraphKDError as error:
    ...     print(str(error).partition(" is not ")[2])
    a finished search of graphkd tune: it holds no tune.json
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = as_path(path, "the folder of a search")
        self.summary: dict[str, Any] = read_json(self.path / SUMMARY, "a finished search of graphkd tune")

    @property
    def overrides(self) -> list[str]:
        """Settings of the winner, as arguments of ``graphkd distill``, beyond those that were given."""
        return list(self.summary["winner"]["overrides"])

    @property
    def command(self) -> str | None:
        """The command that trains the winner again, on the same seeds; None for data in memory."""
        command: str | None = self.summary["command"]
        return command

    @functools.cached_property
    def winner(self) -> SavedRun:
        """The winner's run on new seeds, with the plain MLP of its shape beside it."""
        from graphkd.saved_run import load_run

        return load_run(self.path / WINNER)

    @functools.cached_property
    def plain_mlp(self) -> SavedRun:
        """The run of the best plain MLP that reads ``x``, on the same seeds: searched as the winner was."""
        from graphkd.saved_run import load_run

        return load_run(self.path / PLAIN)

    @property
    def predictor(self) -> Predictor:
        """The winner's student of the seed with the best validation score."""
        return self.winner.predictor

    @functools.cached_property
    def trials(self) -> pd.DataFrame:
        """All candidates, the best first: settings, mean validation score, gain over the plain MLP, cost."""
        import pandas as pd

        return pd.read_csv(self.path / TRIALS)
