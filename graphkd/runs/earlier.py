"""A finished run that goes on with more seeds."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

from graphkd.atomic_io import whole_folder, write_json
from graphkd.deploy.files import holds_bundle
from graphkd.runs.live_log import LOG
from graphkd.runs.metrics import versions
from graphkd.runs.saved_teacher import SAVED_TEACHER

SEED_FILES = ("bundle", LOG, *SAVED_TEACHER)
"""Files of a seed, beside its entry of ``metrics.json``; in a run of one seed those of the run are the seed's."""

OWN_FILES = (*SEED_FILES, "config.yaml", "metrics.json")
"""Files of a run, which are written anew."""


class EarlierRun:
    """A finished run of fewer seeds: it stays as it is until the run of more seeds replaces it.

    Args:
        path: of its folder.
        metrics: contents of its ``metrics.json``.
    """

    def __init__(self, path: Path, metrics: dict[str, Any]) -> None:
        self.path = path
        entries = {entry["seed"]: entry for entry in metrics["seeds"]}
        self.alone = len(entries) == 1
        _warn_of_versions(path, metrics.get("versions", {}))
        self.entries = {seed: entry for seed, entry in entries.items() if self._holds(seed)}

    def copy_to(self, place: Path) -> None:
        """Copies the seeds, and what else is in the folder, to the run of more seeds, unless they are there."""
        for seed in self.entries:
            folder = place / f"seed_{seed}"
            if not folder.is_dir():
                with whole_folder(folder) as draft:
                    self._copy_seed(seed, draft)
        seeds = {f"seed_{seed}" for seed in self.entries}
        for entry in self.path.iterdir():
            if entry.name not in {*OWN_FILES, *seeds} and not entry.name.endswith(".draft"):
                _copy(entry, place / entry.name)

    def _copy_seed(self, seed: int, draft: Path) -> None:
        folder = self._folder(seed)
        write_json(draft / "metrics.json", self.entries[seed])
        for name in SEED_FILES:
            if (folder / name).exists():
                _copy(folder / name, draft / name)

    def _holds(self, seed: int) -> bool:
        return holds_bundle(self._folder(seed) / "bundle")

    def _folder(self, seed: int) -> Path:
        folder = self.path / f"seed_{seed}"
        return self.path if self.alone and not folder.is_dir() else folder


def _warn_of_versions(path: Path, earlier: dict[str, str]) -> None:
    """Warns where the seeds of one run are trained with different versions of a package."""
    now = versions()
    other = [
        f"{name} {earlier[name]}, now {now[name]}" for name in now if earlier.get(name, now[name]) != now[name]
    ]
    if other:
        warnings.warn(f"the seeds in {path} were trained with {'; '.join(other)}", stacklevel=2)


def _copy(source: Path, target: Path) -> None:
    """Copies a file, a link or a folder, in place of what is there."""
    if source.is_dir() and not source.is_symlink():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target, follow_symlinks=False)
