"""Several labels per node and numbers to predict, in every form."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import graphkd
from graphkd import GraphKDError, from_frames, from_networkx, from_scipy, load_dataset
from graphkd.datasets.custom.labels import encode_labels
from tests.datasets.custom.graphs import IDS, SPLIT, X, arrays, edges, matrix, network, nodes

NAN = float("nan")
NAMES = ["red", "round"]
SETS: list[Any] = [["red"], ["red", "round"], [], ["round"], ["red"], ["red", "round"], [], None]
TABLE = np.array([[1, 0], [1, 1], [0, 0], [0, 1], [1, 0], [1, 1], [0, 0], [NAN, NAN]])
TEXTS = ["red", "red;round", "-", " round ", "red", "round; red", "-", ""]
PRICES = [0.5, -1.0, 2.25, 3.75, 1.5, 1e20, 0.125, NAN]
RENTS = [3.0, 2.0, 1.0, 0.0, -1.0, 7.0, 9.0, NAN]


def same(one: Tensor, other: Tensor) -> bool:
    """Returns whether two tensors are equal, NaN included."""
    return one.dtype == other.dtype and torch.allclose(one, other, rtol=0, atol=0, equal_nan=True)


def column(name: int) -> list[Any]:
    return [None if np.isnan(value) else int(value) for value in TABLE[:, name]]


SEVERAL: dict[str, tuple[Any, str | None]] = {
    "array": (TABLE, None),
    "masked array": (np.ma.masked_invalid(TABLE), None),
    "tensor": (torch.from_numpy(TABLE).bfloat16(), None),
    "frame": (pd.DataFrame(TABLE, columns=NAMES), None),
    "frame of booleans": (pd.DataFrame({n: column(k) for k, n in enumerate(NAMES)}, dtype="boolean"), None),
    "frame of objects": (pd.DataFrame({n: column(k) for k, n in enumerate(NAMES)}, dtype=object), None),
    "lists": (SETS, None),
    "sets": ([None if row is None else set(row) for row in SETS], None),
    "tuples": ([None if row is None else tuple(row) for row in SETS], "multilabel"),
    "arrays of names": ([None if row is None else np.array(row, dtype=str) for row in SETS], None),
    "series of lists": (pd.Series(SETS), None),
    "rows of booleans": ([None if np.isnan(row).any() else [bool(v) for v in row] for row in TABLE], None),
    "rows of floats": ([list(row) for row in TABLE], None),
    "texts": (TEXTS, "multilabel"),
    "array of texts": (np.array(TEXTS), "multilabel"),
    "bytes": ([text.encode() for text in TEXTS], "multilabel"),
}


UNNAMED = ("array", "masked array", "tensor", "rows of booleans", "rows of floats")


@pytest.mark.parametrize("form", SEVERAL)
def test_several_labels_are_equal_in_every_form(form: str) -> None:
    labels, task = SEVERAL[form]
    y, names = encode_labels(labels, task=task)
    assert same(y, torch.from_numpy(TABLE).float())
    assert names in (None, NAMES)
    assert (names is None) == (form in UNNAMED)


def test_a_sparse_table_has_zeros() -> None:
    table = np.nan_to_num(TABLE)
    y, _ = encode_labels(scipy.sparse.csr_array(table))
    assert same(y, torch.from_numpy(table).float())


@given(st.lists(st.one_of(st.none(), st.frozensets(st.text("abc", min_size=1, max_size=2))), min_size=1))
def test_names_give_the_sets_back(sets: list[frozenset[str] | None]) -> None:
    if not any(sets):
        return
    y, names = encode_labels(sets, task="multilabel")
    assert names == sorted(names or [])
    rows = [None if row.isnan().all() else {names[k] for k in row.nonzero().reshape(-1).tolist()} for row in y]
    assert rows == sets
    texts = [None if each is None else ";".join(each) or "-" for each in sets]
    assert same(encode_labels(texts, task="multilabel")[0], y)


def test_names_can_be_whole_numbers() -> None:
    y, names = encode_labels([[7, 3], [7], []])
    assert (y.tolist(), names) == ([[1, 1], [0, 1], [0, 0]], [3, 7])


TARGETS: dict[str, tuple[Any, str | None]] = {
    "list": (PRICES, None),
    "with None": ([None if np.isnan(price) else price for price in PRICES], None),
    "with an empty text": (["" if np.isnan(price) else price for price in PRICES], None),
    "array": (np.array(PRICES), "regression"),
    "masked array": (np.ma.masked_invalid(PRICES), None),
    "series": (pd.Series(PRICES, dtype="Float64"), None),
    "decimals": ([None if np.isnan(price) else Decimal(price) for price in PRICES], None),
    "tensor": (torch.tensor(PRICES, dtype=torch.float64), None),
}


@pytest.mark.parametrize("form", TARGETS)
def test_numbers_are_equal_in_every_form(form: str) -> None:
    labels, task = TARGETS[form]
    y, names = encode_labels(labels, task=task)
    assert names is None
    assert same(y, torch.tensor(PRICES, dtype=torch.float64))


def test_whole_numbers_are_targets_only_where_the_task_says_so() -> None:
    assert encode_labels([3, -1, 0, 1, 2], task="regression")[0].tolist() == [3, -1, 0, 1, 2]
    assert encode_labels([3, -1, 0, 1, 2])[0].tolist() == [3, -1, 0, 1, 2]
    assert encode_labels([3, -1, 0, 1, 2])[0].dtype == torch.int64
    both = pd.DataFrame({"price": PRICES, "rent": RENTS})
    y, names = encode_labels(both)
    assert same(y, torch.from_numpy(both.to_numpy()))
    assert names == ["price", "rent"]
    one, names = encode_labels(both[["price"]])
    assert (tuple(one.shape), names) == ((8, 1), ["price"])


BAD: dict[str, tuple[Any, str | None, str]] = {
    "unknown task": ([0, 1], "multilabels", "unknown task 'multilabels': did you mean 'multilabel'"),
    "a task that is no text": ([0, 1], 3, "unknown task 'int'"),  # type: ignore[dict-item]
    "booleans and texts": ([True, "x"], None, "mixes bool and str"),
    "booleans and texts in a table": (
        pd.DataFrame({"a": [True], "b": ["x"]}),
        None,
        "holds 'x' in row 0 of column 'b'",
    ),
    "booleans and numbers in a table": (pd.DataFrame({"a": [True], "b": [0.5]}), None, "mixes booleans and 0.5"),
    "lists and single labels": ([["a"], "b"], None, "mixes lists of labels and single ones, such as 'b'"),
    "three classes": (["a", "b", "c"], "binary", "task=binary needs two classes, but labels holds 3"),
    "one class": (["a", None], "binary", "task=binary needs two classes, but labels holds 1"),
    "text for a number": ([0.5, "many"], "regression", "holds 'many' in row 1, and task=regression needs numbers"),
    "boolean for a number": ([0.5, True], "regression", "holds True in row 1, and task=regression needs"),
    "infinite": ([0.5, float("inf"), 1.5], None, "holds inf, which no answer can reach"),
    "infinite in a table": ([[0.5, float("inf")]], None, "holds inf, which no answer can reach"),
    "too large": ([10**400], "regression", "which no answer can reach"),
    "no number": ([None, NAN], "regression", "holds no known label"),
    "fractions for classes": (
        [0.5, 1.5],
        "multiclass",
        "holds 0.5: classes are whole numbers or texts, and numbers",
    ),
    "few fractions": (
        [0.5, 1.0, 2.0],
        None,
        "holds 0.5: classes are whole numbers or texts, and numbers need task=re",
    ),
    "one-hot": (np.eye(3), None, "has exactly one 1 in every row"),
    "one label each": ([["a"], ["b"], None], None, "gives every node a list of exactly one label"),
    "one column": (
        [[0.0], [1.0]],
        None,
        "must hold one label per node: give a flat list or array, or say task=multi",
    ),
    "a table of classes": (TABLE, "multiclass", "must hold one label per node: .* in place of task=multiclass"),
    "lists of classes": (SETS, "binary", "must hold one label per node: .* in place of task=binary"),
    "no column": (np.zeros((3, 0)), None, "has no columns"),
    "three dimensions": (np.zeros((3, 2, 2)), None, "must hold one label per node"),
    "a word in a table": (np.array([["a", "b"]]), None, "holds 'a' in row 0 of column 0"),
    "complex": (np.array([[1j, 0]]), None, "holds 1j in row 0 of column 0"),
    "-1 in a table": ([[1.0, -1.0], [0.0, 1.0], [-1.0, -1.0], [-1.0, 1.0]], None, "holds -1 among 0 and 1"),
    "a typing error": (np.array([[1, 0], [1, 11], [0, 0]]), None, "holds 11 among 0 and 1"),
    "2 among labels": (np.array([[1, 2], [3, 4]]), "multilabel", "holds 2, and task=multilabel has 0 and 1 alone"),
    "booleans to predict": (np.array([[True, True]]), "regression", "holds booleans, and task=regression needs"),
    "nothing known": (np.full((2, 2), NAN), None, "holds no known label"),
    "lists of 0 and 1": ([[0, 1], [1, 1]], None, "holds lists of 0 and 1 alone, which may be names or"),
    "rows of two lengths": ([[0.5, 1.5], [0.5]], None, "holds 1 numbers for one node and 2 for another"),
    "names to predict": ([["a"], ["b", "c"]], "regression", "holds names, and task=regression needs numbers"),
    "names of two kinds": ([["a"], [1, 2]], None, "mixes int and str"),
    "an empty name": ([["a", ""]], None, "holds '' in row 0: labels are named by"),
    "a missing name": ([["a", "b"], ["a", None]], None, "holds None in row 1: labels are named by"),
    "no name": ([[], None], None, "holds no known label"),
    "two separators": (["a;;b"], "multilabel", "holds 'a;;b' in row 0, with a name that is empty"),
    "no label and one": (["a;-"], "multilabel", "holds 'a;-' in row 0, with a name that is empty or '-'"),
    "numbers for texts": ([0, 1, 2], "multilabel", "holds 0 in row 0: for task=multilabel give texts with ';'"),
}


@pytest.mark.parametrize("mistake", BAD)
def test_mistakes(mistake: str) -> None:
    labels, task, message = BAD[mistake]
    with pytest.raises(GraphKDError, match=message) as caught:
        encode_labels(labels, task=task)
    assert "\n" not in str(caught.value)


def in_frame(**more: Any) -> Any:
    frame = nodes(label=None, red=column(0), round=column(1))
    return from_frames(frame, edges(), **{"id": "id", "split": "split", "label": NAMES, **more})


def folder(root: Path, kind: str, **columns: Any) -> Any:
    """Writes and reads the graph with other labels as csv or parquet."""
    root.mkdir()
    task = columns.pop("task", None)
    write = f"to_{kind}"
    getattr(nodes(**columns), write)(root / f"nodes.{kind}", index=False)
    getattr(edges(), write)(root / f"edges.{kind}", index=False)
    return load_dataset("custom", path=root, task=task)


def npz(root: Path, y: Any, task: str | None = None) -> Any:
    root.mkdir()
    np.savez(root / "graph.npz", **arrays(y=y))
    return load_dataset("custom", path=root, task=task)


SEVERAL_GRAPHS: dict[str, Callable[[Path], Any]] = {
    "frame columns": lambda root: in_frame(),
    "frame lists": lambda root: from_frames(nodes(label=SETS), edges(), id="id", label="label", split="split"),
    "frame texts": lambda root: from_frames(
        nodes(label=TEXTS), edges(), id="id", label="label", split="split", task="multilabel"
    ),
    "networkx lists": lambda root: from_networkx(
        network(), ["a"], dict(zip(IDS[::-1], SETS[::-1], strict=True)), split=SPLIT
    ),
    "networkx frame": lambda root: from_networkx(
        network(), ["a"], pd.DataFrame(TABLE[:7], columns=NAMES, index=IDS[:7]), split=SPLIT
    ),
    "scipy": lambda root: from_scipy(matrix(), X, TABLE, split=SPLIT),
    "csv texts": lambda root: folder(root / "f", "csv", label=TEXTS, task="multilabel"),
    "csv columns": lambda root: folder(root / "f", "csv", label=None, label_red=column(0), label_round=column(1)),
    "parquet lists": lambda root: folder(root / "f", "parquet", label=SETS),
    "parquet columns": lambda root: folder(
        root / "f", "parquet", label=None, label_red=pd.Series(TABLE[:, 0]), label_round=pd.Series(TABLE[:, 1])
    ),
    "npz": lambda root: npz(root / "f", TABLE),
    "npz texts": lambda root: npz(root / "f", np.array(TEXTS), "multilabel"),
}


@pytest.mark.filterwarnings("ignore:edges has a column", "ignore:edges have", "ignore:adjacency holds")
@pytest.mark.parametrize("form", SEVERAL_GRAPHS)
def test_graphs_of_several_labels(form: str, tmp_path: Path) -> None:
    data = SEVERAL_GRAPHS[form](tmp_path)
    assert same(data.y, torch.from_numpy(TABLE).float())
    assert getattr(data, "class_names", NAMES) == NAMES
    assert ("class_names" in data) == (form not in ("npz", "scipy"))
    assert getattr(data, "task", None) == ("multilabel" if "texts" in form else None)
    assert data.train_mask.tolist() == [part == "train" for part in SPLIT]
    assert not {"label_red", "red"} & set(getattr(data, "feature_names", []))


TARGET_GRAPHS: dict[str, Callable[[Path], Any]] = {
    "frame": lambda root: from_frames(nodes(label=PRICES), edges(), id="id", label="label", split="split"),
    "scipy": lambda root: from_scipy(matrix(), X, PRICES, split=SPLIT),
    "csv": lambda root: folder(root / "f", "csv", label=PRICES),
    "parquet": lambda root: folder(root / "f", "parquet", label=PRICES),
    "npz": lambda root: npz(root / "f", np.array(PRICES)),
}


@pytest.mark.filterwarnings("ignore:edges has a column", "ignore:adjacency holds")
@pytest.mark.parametrize("form", TARGET_GRAPHS)
def test_graphs_with_a_number_to_predict(form: str, tmp_path: Path) -> None:
    data = TARGET_GRAPHS[form](tmp_path)
    assert same(data.y, torch.tensor(PRICES, dtype=torch.float64))
    assert "class_names" not in data


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_several_numbers_to_predict_are_columns(kind: str, tmp_path: Path) -> None:
    data = folder(tmp_path / "f", kind, label=None, label_price=PRICES, label_rent=RENTS)
    assert same(data.y, torch.tensor([PRICES, RENTS], dtype=torch.float64).T)
    assert (data.class_names, data.metric) == (["price", "rent"], "r2")


def test_cells_of_a_csv_are_classes_unless_all_are_numbers(tmp_path: Path) -> None:
    mixed = [*map(str, PRICES[:6]), "x", "y"]
    for at, (task, labels, kind) in enumerate(
        [(None, mixed, torch.int64), ("multiclass", PRICES, torch.int64), ("regression", RENTS, torch.float64)]
    ):
        data = folder(tmp_path / str(at), "csv", label=labels, split=[*SPLIT[:7], ""], task=task)
        assert data.y.dtype == kind
    with pytest.raises(GraphKDError, match="nodes.csv column 'label' holds 'x' in row 6, and task=regression"):
        folder(tmp_path / "r", "csv", label=mixed, task="regression")
    with pytest.raises(
        GraphKDError, match="nodes.csv columns 'label_a' and 'label_b' holds 'x' in row 0 of column 'a'"
    ):
        folder(tmp_path / "w", "csv", label=None, label_a="x", label_b=1)
    with pytest.raises(GraphKDError, match="nodes.csv has no column 'label'"):
        folder(tmp_path / "n", "csv", label=None)


def test_whole_numbers_of_a_csv_are_names_where_nodes_have_several(tmp_path: Path) -> None:
    data = folder(tmp_path / "f", "csv", label=["3", "7", "3", "3", "7", "3", "7", ""], task="multilabel")
    assert data.class_names == ["3", "7"]


def test_a_column_beside_label_is_a_feature_as_before(tmp_path: Path) -> None:
    assert "label_red" in folder(tmp_path / "f", "csv", label_red=[0.0, 1.0] * 4).feature_names


@pytest.mark.filterwarnings("ignore:edges has a column")
def test_a_node_in_a_part_has_known_labels() -> None:
    last = [*SPLIT[:7], "test"]
    with pytest.raises(GraphKDError, match="'split' puts node '007' into test, but its label is unknown"):
        from_frames(nodes(label=SETS, split=last), edges(), id="id", label="label", split="split")
    half = nodes(label=PRICES, rent=[NAN, *RENTS[1:]])
    with pytest.raises(GraphKDError, match="puts node 'ann' into train, but its label is unknown"):
        from_frames(half, edges(), id="id", label=["label", "rent"], split="split")
    half = half.assign(label=[1.0, *TABLE[1:, 0]], rent=[NAN, *TABLE[1:, 1]])  # one known label of two suffices
    assert from_frames(half, edges(), id="id", label=["label", "rent"], split="split").y[0, 1].isnan()


@pytest.mark.filterwarnings("ignore:edges has a column")
@pytest.mark.parametrize("label", [[], ["a", "a"]])
def test_columns_are_named_once(label: list[str]) -> None:
    with pytest.raises(GraphKDError, match=r"label is \[.*: name the columns of nodes with labels, each once"):
        from_frames(nodes(), edges(), id="id", label=label, split="split")


def many(root: Path, **columns: Any) -> Path:
    count, rng = 50, np.random.default_rng(0)
    table = {"x": rng.normal(size=count), **{name: part(rng, count) for name, part in columns.items()}}
    root.mkdir()
    pd.DataFrame(table).to_csv(root / "nodes.csv", index=False)
    ends = pd.DataFrame({"source": range(count), "target": [*range(1, count), 0]})
    ends.to_csv(root / "edges.csv", index=False)
    return root


def drawn(rng: np.random.Generator, count: int) -> Any:
    return np.where(np.arange(count) < 10, NAN, rng.normal(size=count))


def test_draws_of_other_tasks_are_uniform(tmp_path: Path) -> None:
    path = many(tmp_path / "f", label=drawn)
    data = load_dataset("custom", path=path, seed=1)
    assert [int(data[f"{part}_mask"].sum()) for part in ("train", "val", "test")] == [24, 8, 8]
    assert not (data.train_mask | data.val_mask | data.test_mask)[:10].any()
    fewer, fewest = (load_dataset("custom", path=path, seed=1, label_rate=rate) for rate in (0.5, 0.25))
    assert (int(fewer.train_mask.sum()), int(fewest.train_mask.sum())) == (12, 6)
    assert not (fewest.train_mask & ~fewer.train_mask).any()
    assert torch.equal(fewer.test_mask, data.test_mask)
    for keys, message in (
        ({"split": "random"}, "split=random draws nodes of every class, and these labels are no classes"),
        ({"split": "cpf"}, "split=cpf draws nodes of every class, and these labels are no classes"),
        ({"imbalance": 0.5}, "dataset.imbalance is of classes, and task=regression has none"),
        ({"long_tail": 5.0}, "dataset.long_tail is of classes, and task=regression has none"),
        ({"task": "regress"}, "unknown task 'regress': did you mean 'regression'"),
    ):
        with pytest.raises(GraphKDError, match=message):
            load_dataset("custom", path=path, **keys)  # type: ignore[arg-type]


def test_in_memory_and_in_a_folder_the_draw_is_the_same(tmp_path: Path) -> None:
    def one(rng: np.random.Generator, count: int) -> Any:
        return (rng.random(count) < 0.4).astype(int)

    path = many(tmp_path / "f", label_a=one, label_b=one)
    read = load_dataset("custom", path=path, seed=3)
    frames = [pd.read_csv(path / f"{name}.csv") for name in ("nodes", "edges")]
    made = from_frames(*frames, label=["label_a", "label_b"], seed=3)
    assert torch.equal(read.train_mask, made.train_mask)
    assert (read.class_names, made.class_names) == (["a", "b"], ["label_a", "label_b"])
    run = graphkd.distill(made, training=graphkd.Training(max_epochs=2), baseline=False)
    assert set(run.metrics["mean"]) == {"student_test", "teacher_test"}
