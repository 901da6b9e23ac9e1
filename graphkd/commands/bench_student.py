"""A run's student in every available runtime: model, scores and memory."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from graphkd.datasets import SettingView
from graphkd.deploy import RUNTIMES, Predictor, RowPredictor, load_bundle
from graphkd.deploy.exports.sample import numpy_rows
from graphkd.deploy.files import Bundle, read_bundle
from graphkd.deploy.runtimes.onnx import FILES
from graphkd.encoders import Encoding
from graphkd.errors import GraphKDError
from graphkd.sparse import Features
from graphkd.students.output import StudentOutput
from graphkd.training.scoring.setting_scores import student_logits

EXPORTS = {"onnx": "onnx", "onnx-int8": "onnx-int8", "native": "c", "native-int8": "c"}
"""Export that a runtime requires; other runtimes require none."""

LOADED = """
import sys
import numpy
import graphkd
model = graphkd.load_bundle(sys.argv[1], runtime=sys.argv[2])
model.predict(numpy.zeros((1, int(sys.argv[3])), dtype="float32"), propagated=True)
status = open("/proc/self/status").read()
print(1024 * int(status.split("VmRSS:")[1].split()[0]))
"""


@dataclass(frozen=True)
class ModelState:
    """A student in one runtime.

    Args:
        runtime: its name.
        model: the loaded predictor.
        size: bytes on disk of the files it is loaded from.
        resident: bytes of a fresh process with this runtime alone, after one row; None where unknown.
        scores: on the run's own validation and test nodes.
    """

    runtime: str
    model: Predictor | RowPredictor
    size: int
    resident: int | None
    scores: dict[str, float]


def served(path: Path, view: SettingView) -> tuple[list[ModelState], list[str]]:
    """Loads the student in all available runtimes; returns also a remark on each unavailable one.

    Args:
        path: of the run.
        view: its graph, on the CPU.
    """
    bundle, first = read_bundle(path), load_bundle(path)
    states, remarks = [], []
    missing = [name for name, to in EXPORTS.items() if to not in bundle.exports]
    if missing:
        formats = " | ".join(dict.fromkeys(EXPORTS[name] for name in missing))
        remarks.append(f"not exported: {', '.join(missing)}: graphkd export {path} --to {formats}")
    for name in RUNTIMES:
        if name in missing:
            continue
        try:
            model = load_bundle(path, name)
        except GraphKDError as error:  # exported, but its runtime is not installed
            remarks.append(f"left out: {error}")
            continue
        scores = _scores(model, first.encoding, view)
        width = first.encoding.width(first.num_features)
        states.append(ModelState(name, model, _size(bundle, name), _resident(path, name, width), scores))
    return states, remarks


class _AsStudent(nn.Module):
    """Adapter of a runtime to the interface of a student."""

    def __init__(self, model: RowPredictor) -> None:
        super().__init__()
        self.model = model
        self.place = nn.Parameter(torch.empty(0))  # a student's device is read from its parameters

    def forward(self, x: Features) -> StudentOutput:
        rows = numpy_rows(x, torch.arange(x.shape[0]))
        return StudentOutput(torch.from_numpy(self.model.logits(rows, propagated=True)), [])


def _scores(model: Predictor | RowPredictor, encoding: Encoding, view: SettingView) -> dict[str, float]:
    student = model.student if isinstance(model, Predictor) else _AsStudent(model)
    return student_logits(student, encoding.mix(view.observed.x, view.observed.adj), encoding, view).scores


def _size(bundle: Bundle, runtime: str) -> int:
    """Returns bytes of the weights, the ONNX file, or the C source with both precisions."""
    if runtime in FILES:
        return len(bundle.files[FILES[runtime]])
    if runtime in EXPORTS:
        return sum(len(bundle.files[name]) for name in bundle.exported("c")["files"])
    return sum(tensor.nbytes for tensor in bundle.tensors.values())


def _resident(path: Path, runtime: str, width: int) -> int | None:
    """Measures resident bytes of a new process; None on a system without ``/proc``."""
    command = [sys.executable, "-c", LOADED, str(path), runtime, str(width)]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    return int(process.stdout) if process.returncode == 0 else None
