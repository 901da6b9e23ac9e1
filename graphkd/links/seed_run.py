"""One seed of a run of links: its results, and how they are written."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from graphkd.atomic_io import write_json, write_text
from graphkd.links.bundle import save_predictor
from graphkd.links.distill import LinkRun, distill
from graphkd.links.graph import LinkGraph
from graphkd.links.spec import LinkSpec
from graphkd.runs.live_log import LOG
from graphkd.runs.metrics import RunFacts, versions
from graphkd.tasks.choice import LINK

METRIC = "roc_auc"
"""That ``val`` and ``test`` are."""

SCORES = {"val_auc": "val", "auc": "test", "auc_ind": "test_ind", "auc_tran": "test_tran"}
"""Names of scores in ``metrics.json``; all others are ``test_…``."""


@dataclass(frozen=True)
class LinkSeedRun:
    """Results of one trained seed.

    Args:
        seed: the seed.
        spec: the parts.
        result: of ``graphkd.links.distill``.
        origin: of the data: ``dataset``, ``split`` and ``directed``.

    >>> scores_of({"val_auc": 0.5, "auc": 0.75, "hits@20": 0.25})
    {'val': 0.5, 'test': 0.75, 'test_hits@20': 0.25}
    """

    seed: int
    spec: LinkSpec
    result: LinkRun
    origin: dict[str, Any]

    @classmethod
    def train(
        cls, graph: LinkGraph, spec: LinkSpec, seed: int, origin: dict[str, Any], baseline: bool = True
    ) -> LinkSeedRun:
        """Trains teacher, student and the plain MLP of one seed.

        Args:
            graph: with the seed's split.
            spec: the parts.
            seed: of everything drawn.
            origin: of the data.
            baseline: also train the MLP that learns from labels alone.
        """
        result = distill(
            graph,
            spec.teacher,
            spec.method,
            spec.decoder,
            seed,
            training=spec.training,
            baseline=baseline,
            teacher_training=spec.teacher_training,
        )
        return cls(seed, spec, result, origin)

    @property
    def entry(self) -> dict[str, Any]:
        """This seed's element of ``metrics.json``."""
        result, fits = self.result, self.result.fits
        beside = ("teacher", "student", "mlp") if self.spec.method.reads_teacher else ("student",)
        found = {name: scores_of(result.metrics[name]) for name in beside if name in result.metrics}
        trained = {name: fits[name] for name in ("teacher", "student") if name in fits}
        return {
            "seed": self.seed,
            "task": LINK,
            **found,
            "epochs": {name: each.epochs for name, each in trained.items()},
            "best_epoch": {name: each.best_epoch for name, each in trained.items()},
            "seconds": {name: round(each.seconds, 3) for name, each in trained.items()},
        }

    @property
    def card(self) -> dict[str, Any]:
        """Provenance and scores of the student, for the bundle."""
        entry = self.entry
        return {
            **self.origin,
            **self.spec.names,
            "task": LINK,
            "seed": self.seed,
            "metric": METRIC,
            **self.spec.protocol,
            "settings": vars(self.spec.method),
            "teacher_scores": entry.get("teacher", {}),
            "student_scores": entry["student"],
            "plain_scores": {"mlp": entry["mlp"]} if "mlp" in entry else {},
            "versions": versions(),
        }

    def write(self, folder: Path, save_teacher: bool = False) -> None:
        """Writes ``bundle/``, ``log.jsonl`` and ``metrics.json`` (the entry); no teacher is saved."""
        save_predictor(folder / "bundle", replace(self.result.predictor, card=self.card))
        rows = [
            {"seed": self.seed, "stage": stage, **row}
            for stage, found in self.result.fits.items()
            for row in found.history
        ]
        write_text(folder / LOG, "".join(json.dumps(row) + "\n" for row in rows))
        write_json(folder / "metrics.json", self.entry)


def scores_of(found: dict[str, float]) -> dict[str, float]:
    """Returns scores under the names of ``metrics.json``."""
    return {SCORES.get(name, f"test_{name}"): value for name, value in found.items()}


def facts_of(origin: dict[str, Any], spec: LinkSpec) -> RunFacts:
    """Returns what ``metrics.json`` states of a run of links beside its seeds."""
    return RunFacts(
        origin["dataset"], origin["split"], METRIC, spec.names, spec.protocol, not spec.method.reads_teacher
    )
