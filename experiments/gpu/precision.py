"""What bfloat16 costs in accuracy, and what it saves.

python experiments/gpu/precision.py --data-dir data
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from cells import view_of  # experiments/cells.py

from graphkd.config import composed, spec_from
from graphkd.training.stages.student import train_student
from graphkd.training.stages.teacher import train_teacher

CELLS = ("cora_sage", "citeseer_gcn", "pubmed_gcn", "photo_sage")
SEEDS = (2022, 2023, 2024, 2025, 2026)


def rows(device: str, data_dir: str, cells: tuple[str, ...] = CELLS) -> list[dict[str, Any]]:
    """Test scores and seconds of InfGraND's published cells in both precisions, same teacher and start."""
    found = []
    for cell in cells:
        config = composed([f"experiment=infgrand/{cell}_transductive"])
        spec, scores, seconds = spec_from(config), [], []
        for seed in SEEDS:
            view = view_of(config, seed, data_dir, device)
            teacher_result, each = train_teacher(view, spec, seed, []), []
            for precision in ("float32", "bfloat16"):
                training = replace(spec.training, precision=precision)
                each.append(train_student(view, replace(spec, training=training), teacher_result, seed, []))
            scores.append([student.scores["test"] for student in each])
            seconds.append([student.fit.seconds / student.fit.epochs for student in each])
        single, half = (100 * np.array(scores)).T
        found.append({"what": "bfloat16", "size": cell, "float32": single.mean(), "bfloat16": half.mean(),
                      "difference": (half - single).mean(), "spread": (half - single).std(),
                      "time": float(np.divide(*np.median(seconds, axis=0)[::-1]))})  # fmt: skip
    return found
