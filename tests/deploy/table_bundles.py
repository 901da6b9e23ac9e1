"""Bundles of students of raw tables, with the rows that their exports are compared on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from graphkd import load_bundle
from graphkd.columns import ColumnEncoding
from graphkd.datasets import Graph, Preprocessing
from graphkd.deploy import write_bundle
from graphkd.deploy.exports.sample import Sample
from graphkd.encoders import Encoding
from graphkd.students import MLP, Ensemble
from graphkd.students.ensemble import extra_arguments
from tests.columns.tables import TRAIN, numbers
from tests.conftest import make_data
from tests.deploy.bundles import STEPS, ensemble, student

TABLE = numbers().assign(year=np.random.default_rng(2).integers(1990, 2026, 200))
"""Numbers of three scales; the last one is whole and 200 deviations from zero."""

CLASSES = ["oak", "elm", "fir"]


def table_bundle(
    folder: Path,
    frame: pd.DataFrame = TABLE,
    numeric: str = "standard",
    steps: Preprocessing = STEPS,
    members: int = 0,
) -> tuple[Path, Sample]:
    """A bundle whose student reads the frame's columns, and the sample of its exports."""
    encoding = ColumnEncoding.fit(frame, TRAIN, numeric=numeric)
    sizes = {"num_features": len(encoding.names_out)}
    model: MLP | Ensemble = ensemble("layer", num_members=members, **sizes) if members else student(**sizes)
    arguments = {**sizes, "hidden_dim": 7, "num_classes": 3, "num_layers": 3, **extra_arguments(model)}
    arguments["norm"] = "layer" if members else "batch"
    names = list(encoding.names_out)
    write_bundle(folder / "bundle", model, arguments, steps, Encoding(), CLASSES, {}, names, encoding)
    data = make_data(len(frame), num_features=len(names))
    data.x = torch.from_numpy(encoding.transform(frame))
    return folder / "bundle", Sample.of(load_bundle(folder / "bundle"), Graph.from_data(data, steps))


def raw(frame: pd.DataFrame = TABLE) -> np.ndarray:
    """The rows that a file takes which scales them itself."""
    return np.ascontiguousarray(frame.to_numpy(np.float32))
