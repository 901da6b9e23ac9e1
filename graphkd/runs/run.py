"""The result of ``graphkd.distill``."""

from __future__ import annotations

import copy
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from graphkd.atomic_io import as_path
from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.deploy import Predictor
from graphkd.deploy.exports.formats import export_bundle
from graphkd.deploy.exports.sample import Sample
from graphkd.environment import own_environment
from graphkd.errors import GraphKDError
from graphkd.outofcore import TableOptions
from graphkd.runs.angles import Angles
from graphkd.runs.evaluation import Evaluation
from graphkd.runs.folder import CHECKSUMS, RunFolder, data_checksums
from graphkd.runs.metrics import RunFacts, summarise
from graphkd.runs.predictions import predictions_of
from graphkd.runs.saved_teacher import trained_teacher
from graphkd.runs.seed import SeedRun
from graphkd.runs.view import RunView
from graphkd.sparse import Features, as_features
from graphkd.spec import DistillSpec
from graphkd.teachers import TeacherOutput

if TYPE_CHECKING:
    import pandas as pd


class Run(RunView):
    """Result of ``graphkd.distill``: metrics, teacher, student.

    Args:
        result: the trained seed.
    """

    def __init__(self, result: SeedRun) -> None:
        self.result = result

    @property
    def metrics(self) -> dict[str, Any]:
        """The contents of ``metrics.json``."""
        return summarise(RunFacts.of(self.result.graph, self.result.spec), [self.result.entry])

    @property
    def log(self) -> list[dict[str, Any]]:
        """One record per stage and epoch: the lines of ``log.jsonl``."""
        return self.result.log

    @property
    def teacher(self) -> nn.Module | None:
        """The graph network; None where only its output was passed.

        One of ``graphkd.teachers`` is called with ``(x, edge_index)``, where ``x [N, D]`` are preprocessed
        features: ``run.teacher(run.preprocess(x), edge_index)`` is ``run.teacher_output``, unless the setting
        hides nodes.
        """
        return self.result.teacher_result.model

    @property
    def teacher_output(self) -> TeacherOutput:
        """The teacher's ``logits [n, C]`` and ``hops``, ``[n, d]`` after each, of nodes visible in training."""
        return self.result.teacher_result.output

    def preprocess(self, x: Any) -> Features:
        """Converts raw rows ``[N, D]`` to the features used to train teacher and student, not propagated."""
        return self.result.graph.preprocessing(as_features(x).to(torch.float32))

    @property
    def student(self) -> nn.Module:
        """The trained MLP, called with preprocessed and, where the method has hops, propagated rows."""
        return self.result.distilled.model

    @property
    def predictor(self) -> Predictor:
        """The student with its preprocessing, on the CPU: as returned by ``load_bundle`` after ``save``."""
        graph, distilled = self.result.graph, self.result.distilled
        return Predictor(
            copy.deepcopy(distilled.model).cpu().eval(),
            num_features=graph.num_features,
            preprocessing=graph.preprocessing,
            encoding=distilled.encoding,
            class_names=graph.class_names,
            card=self.result.card,
            feature_names=graph.feature_names,
            columns=graph.column_encoding,
            task=graph.task.name,
        )

    @own_environment()
    def evaluate(self) -> Evaluation:
        """Evaluates the student on test nodes, as ``graphkd evaluate`` does.

        Returns:
            ``scores``, ``confusion`` (counts, precision, recall, F1 score and support of each class),
            ``reliability`` and ``class_names``.
        """
        result, distilled = self.result, self.result.distilled
        return Evaluation.of(distilled.model, distilled.encoding, result.graph, result.spec.setting, result.seed)

    @own_environment()
    def predictions(self, node_ids: Any = None) -> pd.DataFrame:
        """Returns one row per node of the data.

        Args:
            node_ids: ``[N]`` ids of the nodes, such as ``data.node_ids``; by default row numbers.

        Returns:
            ``node``, ``split`` (``train``, ``val``, ``test``, ``hidden`` or empty), ``label``, ``predicted``, and
            ``p_CLASS``, the probability of each class.
        """
        result, distilled = self.result, self.result.distilled
        parts = (distilled.model, distilled.encoding, result.graph, result.spec.setting, result.seed)
        return predictions_of(*parts, node_ids)

    @own_environment()
    def angles(self) -> Angles:
        """Computes the angles between teacher layers as seen from student layers, before and after training.

        Returns:
            ``before`` and ``after``, each with ``cosines [M, P, n]``, ``degrees [M, P]`` and ``acute [M, P]`` for
            ``M`` hidden student layers, ``P`` pairs of hidden teacher layers and ``n`` observed nodes.

        Raises:
            GraphKDError: the student had no teacher, or there is no angle between the layers.
        """
        return Angles.of(self.result)

    @own_environment()
    def export(self, path: str | Path, to: str, allow_loss: bool = False) -> None:
        """Exports the student into its saved bundle, after a check on rows of the run's data.

        Args:
            path: of the run folder that ``save`` wrote.
            to: ``onnx``, ``onnx-int8``, ``c``, ``torch-export`` or ``triton``, as for ``graphkd export``.
            allow_loss: write it even if its outputs differ from the student's.

        Raises:
            GraphKDError: a requirement of the format is missing, or the outputs differ.
        """
        result = self.result
        observed = apply_setting(result.graph.to("cpu"), result.spec.setting, result.seed).observed
        export_bundle(path, to, Sample.of(self.predictor, observed), allow_loss)

    def save(self, path: str | Path, overwrite: bool = False, save_teacher: bool = False) -> None:
        """Writes the run folder.

        Args:
            path: of the folder.
            overwrite: replace an existing run.
            save_teacher: also write the trained teacher, for ``graphkd.load_run(path).teacher()``.

        Raises:
            GraphKDError: ``path`` exists and must not be replaced, or cannot be written.
        """
        graph, spec = self.result.graph, self.result.spec
        if save_teacher:
            trained_teacher(spec, self.teacher)
        if not (overwrite or spec.reproducible) and (Path(path) / "config.yaml").exists():
            raise GraphKDError(
                f"{path} holds a run, and whether it is this one cannot be known, since parts are your own: "
                "choose another path, or overwrite=True"
            )
        folder_path = as_path(path, "the run folder")
        seeds, tables = [self.result.seed], self.result.tables
        config = memory_settings(graph, spec, tables, seeds, folder_path, overwrite)
        if "given" in self.result.teacher_result.key:
            config["teacher"]["checksum"] = self.result.teacher_result.key["given"]
        config["save_teacher"] = save_teacher
        try:
            folder = RunFolder(folder_path, config, overwrite)
            folder.add(self.result.seed, lambda: self.result)
            folder.finish(RunFacts.of(graph, spec))
        except OSError as error:  # such as a full disk, or a folder without write permission
            raise GraphKDError(
                f"{error.filename or folder_path}: {error.strerror or error}: choose another place"
            ) from error


def memory_settings(
    graph: Graph, spec: DistillSpec, tables: TableOptions, seeds: list[int], path: Path, overwrite: bool = False
) -> dict[str, Any]:
    """Returns the contents of ``config.yaml`` of a run whose parts and data were given as objects.

    Args:
        graph: the data.
        spec: the parts.
        tables: how the tables between the stages are stored.
        seeds: of the run.
        path: of its folder.
        overwrite: whether a run of other data may be replaced.
    """
    origin = dict(graph.origin)
    dirs: dict[str, Any] = {key: origin.pop(key) for key in ("data_dir", "cache_dir") if key in origin}
    origin = {key: value for key, value in origin.items() if key not in CHECKSUMS}
    origin |= data_checksums(graph, path, overwrite)
    steps: dict[str, Any] = asdict(graph.preprocessing)
    stored = {"memory_budget": tables.memory_budget, "table_dtype": tables.dtype}
    return {
        "dataset": {**origin, **steps},
        **spec.config(),
        **dirs,
        **stored,
        "seeds": seeds,
        "save_teacher": False,
    }
