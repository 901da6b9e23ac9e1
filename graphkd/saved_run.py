"""A run that was read from its folder."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphkd.atomic_io import as_path
from graphkd.config import spec_of
from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.deploy import Predictor, load_bundle
from graphkd.deploy.exports.formats import export_bundle
from graphkd.deploy.exports.made import Export
from graphkd.deploy.exports.sample import Sample
from graphkd.environment import own_environment
from graphkd.errors import GraphKDError
from graphkd.run_data import check_run_data, load_run_data
from graphkd.runs import Evaluation, read_config, read_metrics
from graphkd.runs.predictions import predictions_of
from graphkd.runs.saved_teacher import read_teacher
from graphkd.runs.view import RunView
from graphkd.teachers import TeacherOutput
from graphkd.teachers.label_inputs import answer_with_labels

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn
    from torch_geometric.data import Data

INSTEAD = "give them, load_run(RUN, data=DATA)"
"""Advice for runs on data in memory."""


def load_run(
    path: str | os.PathLike[str], data_dir: str | os.PathLike[str] | None = None, data: Data | None = None
) -> SavedRun:
    """Reads a finished run: its scores, settings and history, its students, and what they answer.

    Args:
        path: folder made by ``graphkd distill``, or by ``run.save``.
        data_dir: folder of the run's data, if it has moved.
        data: that the run was trained on, if they were in memory, for what reads them: ``evaluate``,
            ``predictions``, ``teacher``, ``export``.

    Raises:
        GraphKDError: there is no run, it is not finished or damaged, or it was trained on other data.

    >>> import tempfile, graphkd
    >>> folder = tempfile.mkdtemp() + "/run"
    >>> graphkd.distill(graphkd.load_dataset("digits"), training=graphkd.Training(max_epochs=60)).save(folder)
    >>> run = graphkd.load_run(folder)
    >>> run.seeds, list(run.history.columns[:4])
    ([0], ['seed', 'stage', 'epoch', 'loss'])
    """
    folder = as_path(path, "RUN")
    read_metrics(folder)
    if data is not None:
        check_run_data(folder, data)
    return SavedRun(folder, None if data_dir is None else str(data_dir), data)


class SavedRun(RunView):
    """A finished run in its folder; what is large is read on access.

    Args:
        path: of the folder.
        data_dir: folder of the run's data, if it has moved.
        data: that the run was trained on, if they were in memory.
    """

    def __init__(self, path: Path, data_dir: str | None = None, data: Data | None = None) -> None:
        self.path, self.data_dir, self._data = path, data_dir, data

    @property
    def metrics(self) -> dict[str, Any]:
        """The contents of ``metrics.json``."""
        return read_metrics(self.path)

    @property
    def config(self) -> dict[str, Any]:
        """The contents of ``config.yaml``: every setting of every part."""
        return read_config(self.path)

    @property
    def log(self) -> list[dict[str, Any]]:
        """The lines of ``log.jsonl``.

        Raises:
            GraphKDError: the file is missing or damaged.
        """
        file = self.path / "log.jsonl"
        try:
            return [json.loads(line) for line in file.read_text("utf-8").splitlines()]
        except (OSError, ValueError) as error:
            raise GraphKDError(f"{file} cannot be read ({type(error).__name__}): make the run again") from None

    @property
    def seeds(self) -> list[int]:
        """The seeds, in order."""
        return [seed["seed"] for seed in self.metrics["seeds"]]

    @property
    def predictor(self) -> Predictor:
        """The student of the seed with the best validation score, which is in ``bundle``."""
        return load_bundle(self.path)

    def student(self, seed: int | None = None) -> Predictor:
        """Returns the student of a seed, by default of the first."""
        return load_bundle(self._folder(seed))

    def data(self, seed: int | None = None) -> Data:
        """Loads the run's data with the split of a seed, by default of the first.

        Raises:
            GraphKDError: the data were in memory, are unavailable, or have changed.
        """
        return self._data or load_run_data(self.path, self._seed(seed), self.data_dir, INSTEAD)

    @own_environment()
    def evaluate(self, seed: int | None = None) -> Evaluation:
        """Evaluates the student of a seed, by default of the first, on test nodes; see ``Run.evaluate``."""
        model, graph = self._loaded(seed)
        return Evaluation.of(model.student, model.encoding, graph, self.metrics["setting"], self._seed(seed))

    @own_environment()
    def predictions(self, seed: int | None = None) -> pd.DataFrame:
        """Returns one row per node, from the student of a seed, by default of the first.

        Returns:
            ``node``, ``split`` (``train``, ``val``, ``test``, ``hidden`` or empty), ``label``, ``predicted``, and
            ``p_CLASS``, the probability of each class.
        """
        model, graph = self._loaded(seed)
        ids = getattr(self.data(seed), "node_ids", None)
        setting = self.metrics["setting"]
        return predictions_of(model.student, model.encoding, graph, setting, self._seed(seed), ids)

    @own_environment()
    def export(self, to: str, allow_loss: bool = False) -> Export:
        """Exports the student into the run's bundle, after a check on rows of the run's data.

        Args:
            to: ``onnx``, ``onnx-int8``, ``c``, ``torch-export`` or ``triton``, as for ``graphkd export``.
            allow_loss: write it even if its outputs differ from the student's.

        Returns:
            ``files``, ``parity`` and ``remarks``.

        Raises:
            GraphKDError: the data or a requirement of the format is missing, or the outputs differ.
        """
        model = self.predictor
        seed = model.card["seed"]
        graph = Graph.from_data(self.data(seed), model.preprocessing)
        observed = apply_setting(graph, self.metrics["setting"], seed).observed
        return export_bundle(self.path, to, Sample.of(model, observed), allow_loss)

    def teacher(self, seed: int | None = None) -> nn.Module:
        """Returns the trained teacher of a seed, by default of the first, in evaluation mode.

        With ``training.teacher_label_rate`` it reads features and labels, see ``answer_with_labels`` in
        ``graphkd.teachers.label_inputs``. Of a regression it answers in the data's units, see ``Run.teacher``.

        Raises:
            GraphKDError: the run was made without ``save_teacher=true``.
        """
        spec, data = spec_of(self.config, self.path), self.data(seed)
        return read_teacher(self._folder(seed), spec, Graph.from_data(data))

    @own_environment()
    def teacher_output(self, seed: int | None = None) -> TeacherOutput:
        """Returns the teacher's ``logits [N, C]`` and ``hops``, ``[N, d]`` after each layer, of all nodes.

        Raises:
            GraphKDError: as ``teacher``.
        """
        import torch

        teacher, (_, graph) = self.teacher(seed), self._loaded(seed)
        training = spec_of(self.config, self.path).training

        def run(graph: Graph) -> TeacherOutput:
            output: TeacherOutput = teacher(graph.x, graph.adj)
            return output

        with torch.no_grad():
            if training.teacher_label_rate:
                return answer_with_labels(run, training.teacher_label_reuse, graph)
            return run(graph)

    def _seed(self, seed: int | None) -> int:
        if seed is not None and seed not in self.seeds:
            raise GraphKDError(f"{self.path} has no seed {seed}: choose one of {', '.join(map(str, self.seeds))}")
        return self.seeds[0] if seed is None else seed

    def _folder(self, seed: int | None) -> Path:
        folder = self.path / f"seed_{self._seed(seed)}"
        return folder if folder.is_dir() else self.path

    def _loaded(self, seed: int | None) -> tuple[Predictor, Graph]:
        model = self.student(seed)
        return model, Graph.from_data(self.data(seed), model.preprocessing)
