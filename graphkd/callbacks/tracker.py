"""What the trackers of experiments have in common."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from graphkd.callbacks.base import Callback
from graphkd.errors import GraphKDError

Number = float | int
Plain = str | float | int | bool


class Tracker(Callback):
    """Sends the epochs, scores and settings of a run to a tracking library, which is imported when a run starts.

    Values are named ``seed_0/student/loss``, and means over seeds ``mean/student_test``.
    A subclass gives ``start``, ``log`` and ``end``.

    Args:
        folder: of its files.
    """

    def __init__(self, folder: str = "tracking") -> None:
        if not isinstance(folder, str) or not folder:
            raise GraphKDError(f"tracker.folder is {folder!r}: give the name of a folder")
        self.folder = folder

    def start(self, run: str, settings: dict[str, Plain]) -> None:
        """Opens the record of a run, with its settings by dotted key."""
        raise NotImplementedError

    def log(self, values: dict[str, Number], step: int | None) -> None:
        """Records values by name, in an epoch or (step None) of the whole run."""
        raise NotImplementedError

    def end(self) -> None:
        """Writes what is not written yet, and closes the record."""

    @property
    def path(self) -> Path:
        """The folder, absolute."""
        return Path(self.folder).expanduser().absolute()

    def on_run_start(self, run: str, folder: Path | None, config: dict[str, Any]) -> None:
        """Opens the record."""
        self.start(run, flat(config))

    def on_epoch_end(self, seed: int, stage: str, epoch: int, values: dict[str, float]) -> None:
        """Records an epoch."""
        self.log({f"seed_{seed}/{stage}/{name}": value for name, value in values.items()}, epoch)

    def on_stage_end(self, seed: int, stage: str, summary: dict[str, float]) -> None:
        """Records a stage."""
        self.log({f"seed_{seed}/{stage}/final_{name}": value for name, value in summary.items()}, None)

    def on_run_end(self, metrics: dict[str, Any]) -> None:
        """Records the means, and closes the record."""
        self.log({f"mean/{name}": value for name, value in metrics["mean"].items()}, None)
        self.end()


def library(name: str, extra: str) -> ModuleType:
    """Imports a tracking library.

    Raises:
        GraphKDError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        raise GraphKDError(f"tracker={extra} needs a library: pip install 'graphkd[{extra}]'") from None


def flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Plain]:
    """Returns nested settings by dotted key; what is neither number, truth value nor text as a text.

    >>> flat({"method": {"lam": 0.5}, "seeds": [0, 1], "teacher": None})
    {'method.lam': 0.5, 'seeds': '[0, 1]', 'teacher': 'None'}
    """
    found: dict[str, Plain] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value if isinstance(value, str | bool | int | float) else str(value)
    return found
