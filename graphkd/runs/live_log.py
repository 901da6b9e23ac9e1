"""``log.jsonl`` of a run in training."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from graphkd.callbacks import Callback

LOG = "log.jsonl"


class LiveLog(Callback):
    """Appends every epoch to the run's ``log.jsonl``, from which it can be followed while it trains.

    Once the run is finished the file is written again, with the same lines in the order of its seeds.

    Args:
        folder: of the run.
        seeds: that were trained before, whose lines come first.
    """

    def __init__(self, folder: Path, seeds: Iterable[int]) -> None:
        self.folder, self.seeds = folder, list(seeds)
        self._file: TextIO | None = None

    def on_epoch_end(self, seed: int, stage: str, epoch: int, values: dict[str, float]) -> None:
        """Appends a line, and flushes it."""
        if self._file is None:
            self._file = self._opened()
        self._file.write(json.dumps({"seed": seed, "stage": stage, "epoch": epoch, **values}) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()

    def discard(self) -> None:
        """Removes the file of a run that failed, and its folder if nothing else is in it."""
        self.close()
        if self._file is not None and not (self.folder / "config.yaml").exists():
            (self.folder / LOG).unlink(missing_ok=True)
            if not any(self.folder.iterdir()):
                self.folder.rmdir()

    def _opened(self) -> TextIO:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = (self.folder / LOG).open("w", encoding="utf-8")
        for seed in self.seeds:
            finished = self.folder / f"seed_{seed}" / LOG
            file.write(finished.read_text("utf-8") if finished.is_file() else "")
        return file


def is_live_log(file: Path) -> bool:
    """Returns whether a file is the log of a run that was killed while it trained."""
    if file.name != LOG or not file.is_file():
        return False
    with file.open("rb") as lines:
        first = lines.readline(10_000)
    try:
        record: Any = json.loads(first)
    except ValueError:
        return not first.strip()
    return isinstance(record, dict) and {"seed", "stage", "epoch"} <= record.keys()
