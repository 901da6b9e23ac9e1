"""Run folders made by hand: what a report reads of them, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from graphkd.atomic_io import write_json, write_text

METRICS = {
    "schema_version": 1, "dataset": "cora", "split": "public", "setting": "transductive", "metric": "accuracy",
    "teacher": "gcn", "student": "mlp", "method": "glnn", "variant": "none", "matching": "none",
    "influence": "none",
}  # fmt: skip

CONFIG = {
    "dataset": {"name": "cora", "path": None},
    "teacher": {"num_layers": 2},
    "student": {"num_layers": 2},
    "method": {"lam": 0.0},
    "training": {"max_epochs": 500},
    "output_dir": None,
    "baseline": True,
}


def seed(number: int, teacher: float, student: float, mlp: float | None = None, **tests: float) -> dict[str, Any]:
    """An entry of ``metrics.json``; ``tests`` are further scores of teacher and student."""
    parts = {"teacher": teacher, "student": student} | ({} if mlp is None else {"mlp": mlp})
    return {"seed": number, **{part: {"val": score, "test": score, **tests} for part, score in parts.items()}}


SEEDS = [seed(0, 0.80, 0.82), seed(1, 0.82, 0.85)]


def make_run(path: Path, seeds: Sequence[dict[str, Any]] = SEEDS, changes: str = "", **facts: Any) -> Path:
    """A finished run.

    Args:
        path: of the folder.
        seeds: made by ``seed``.
        changes: to the config, as YAML.
        facts: in ``metrics.json``, where it differs from ``METRICS``.
    """
    path.mkdir(parents=True)
    numbers = {"seeds": [entry["seed"] for entry in seeds]}
    config = OmegaConf.merge(OmegaConf.create({**CONFIG, **numbers}), OmegaConf.create(changes))
    write_text(path / "config.yaml", OmegaConf.to_yaml(config))
    write_json(path / "metrics.json", {**METRICS, **facts, "seeds": list(seeds)})
    return path
