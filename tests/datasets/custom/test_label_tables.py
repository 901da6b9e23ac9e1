"""Labels beyond one class per node, in every form that a user may have them in."""

from pathlib import Path
from typing import Any

import networkx
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch

import graphkd
from graphkd.datasets import Graph
from graphkd.datasets.custom.label_tables import read_labels
from graphkd.errors import GraphKDError

N = 12
LISTS = [["red", "round"], [], ["red"], None, ["round"], ["old"], *[["old", "red"]] * 6]
NAMES = ["old", "red", "round"]
TABLE = torch.tensor(
    [[float("nan")] * 3 if names is None else [float(name in names) for name in NAMES] for names in LISTS]
)
PRICES = [1.5, 2.25, 3.0, None, *(0.5 + 1.75 * k for k in range(8))]
EDGES = pd.DataFrame({"source": range(N), "target": [(k + 1) % N for k in range(N)]})
X = pd.DataFrame({"size": np.linspace(0, 1, N), "age": np.arange(N) % 5 + 0.5})


def same(one: torch.Tensor, other: torch.Tensor) -> bool:
    return bool(torch.allclose(one.double(), other.double(), equal_nan=True))


@pytest.mark.parametrize(
    "labels",
    [
        LISTS,
        [None if names is None else tuple(names) for names in LISTS],
        [None if names is None else set(names) for names in LISTS],
        pd.DataFrame(TABLE.numpy(), columns=NAMES),
        TABLE,
        TABLE.numpy(),
    ],
    ids=["lists", "tuples", "sets", "frame", "tensor", "array"],
)
def test_every_form_of_several_labels_is_the_same_table(labels: Any) -> None:
    y, names = read_labels(labels)
    assert same(y, TABLE)
    assert names in (NAMES, None)


def test_texts_hold_several_labels_where_the_task_says_so() -> None:
    texts = [None if names is None else ";".join(names) or " " for names in LISTS]
    y, names = read_labels(texts, task="multilabel")
    assert same(y, TABLE)
    assert names == NAMES
    assert read_labels(["a;b", "c"])[1] == ["a;b", "c"]  # without the task: classes


@pytest.mark.parametrize(
    "labels",
    [PRICES, np.array(PRICES, dtype=float), pd.array(PRICES, dtype="Float64")],
    ids=["list", "array", "null"],
)
def test_numbers_are_targets(labels: Any) -> None:
    y, names = read_labels(labels)
    assert same(y, torch.tensor([float("nan") if price is None else price for price in PRICES]))
    assert names is None
    assert read_labels([1, 2, -1], task="regression")[0].tolist() == [1.0, 2.0, -1.0]
    assert read_labels([1, 2, -1])[0].tolist() == [0, 1, -1]  # without the task: classes


def test_graphs_of_every_kind_read_them() -> None:
    nodes = X.assign(**{name: TABLE[:, k].numpy() for k, name in enumerate(NAMES)})
    graph = networkx.cycle_graph(N)
    matrix = scipy.sparse.csr_array(networkx.to_scipy_sparse_array(graph))
    found = [
        graphkd.from_frames(nodes, EDGES, label=NAMES),
        graphkd.from_frames(X.assign(label=pd.Series(LISTS)), EDGES, label="label"),
        graphkd.from_networkx(graph, features=X.to_numpy(), labels=LISTS),
        graphkd.from_scipy(matrix, X.to_numpy(), LISTS),
    ]
    for data in found:
        assert same(data.y, TABLE)
        assert data.class_names == NAMES
        assert not bool((data.train_mask | data.val_mask | data.test_mask)[3])  # its labels are unknown
        assert Graph.from_data(data).task.name == "multilabel"


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_folder_has_columns_of_labels_or_numbers(tmp_path: Path, kind: str) -> None:
    for name, columns in (
        ("labels", {f"label_{name}": TABLE[:, k].numpy() for k, name in enumerate(NAMES)}),
        ("numbers", {"label": PRICES}),
        ("texts", {"label": [None if names is None else ";".join(names) or ";" for names in LISTS]}),
    ):
        folder = tmp_path / name
        folder.mkdir()
        for table, stem in ((X.assign(**columns), "nodes"), (EDGES, "edges")):
            getattr(table, f"to_{kind}")(folder / f"{stem}.{kind}", index=False)
        task = "multilabel" if name == "texts" else None
        data = graphkd.load_dataset("custom", path=folder, task=task)
        expected = torch.tensor([float("nan") if price is None else price for price in PRICES])
        assert same(data.y, expected if name == "numbers" else TABLE)
        assert data.metric == ("r2" if name == "numbers" else "roc_auc")
        if name != "numbers":
            assert data.class_names == NAMES


MISTAKES: dict[str, tuple[Any, str | None, str]] = {
    "lists and single labels": ([["a"], 3], None, "beside lists of labels"),
    "kinds of labels": ([["a"], [3]], None, "mixes int and str"),
    "a label that is no name": ([["a"], [2.5]], None, "labels are texts or whole numbers"),
    "no label at all": ([[], None], None, "holds no label"),
    "a text for a number": (["1.5", "dear"], "regression", "no number"),
    "an infinite number": ([1.5, float("inf")], "regression", "infinite"),
    "a table of classes": (TABLE, "multiclass", "needs one column"),
    "a table of numbers as labels": (torch.full((3, 2), 0.5), "multilabel", "needs 0 and 1 alone"),
    "lists of classes": (LISTS, "multiclass", "holds lists of labels"),
    "no such task": ([0, 1], "regresion", "did you mean 'regression'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_one_line(mistake: str) -> None:
    labels, task, message = MISTAKES[mistake]
    with pytest.raises(GraphKDError, match=message) as error:
        read_labels(labels, "labels", task)
    assert "\n" not in str(error.value)


def test_splits_by_class_are_refused_where_there_is_none(tmp_path: Path) -> None:
    X.assign(label=PRICES).to_csv(tmp_path / "nodes.csv", index=False)
    EDGES.to_csv(tmp_path / "edges.csv", index=False)
    for split in ("random", "cpf"):
        with pytest.raises(GraphKDError, match=f"split={split} draws nodes of every class"):
            graphkd.load_dataset("custom", path=tmp_path, split=split)
    half = graphkd.load_dataset("custom", path=tmp_path, label_rate=0.5)
    assert int(half.train_mask.sum()) < int(graphkd.load_dataset("custom", path=tmp_path).train_mask.sum())
    with pytest.raises(GraphKDError, match="imbalance"):
        graphkd.load_dataset("custom", path=tmp_path, imbalance=0.5)
