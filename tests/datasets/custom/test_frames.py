from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import graphkd
from graphkd import GraphKDError, from_frames
from tests.datasets.custom.graphs import EDGES, IDS, SIDES, SPLIT, X, edges, nodes

FRAME = {"id": "id", "label": "label", "split": "split"}

FRAMES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], str]] = {
    "no id column": ({}, {}, {"id": "name"}, "nodes has no column 'name': there are id, label, split, a, b"),
    "no label column": ({}, {}, {"label": "colour"}, "nodes has no column 'colour'"),
    "no source column": ({}, {}, {"source": "from"}, "edges has no column 'from': there are source, target"),
    "no weight column": ({}, {}, {"weight": "w"}, "edges has no column 'w'"),
    "no feature column": ({}, {}, {"features": ["a", "c"]}, "nodes has no column 'c'"),
    "an id twice": ({"id": [*IDS[:7], "ann"]}, {}, {}, r"nodes column 'id' holds 'ann' twice \(rows 0 and 7\)"),
    "no id": ({"id": [*IDS[:7], None]}, {}, {}, "nodes column 'id' is empty in row 7"),
    "a stranger": (
        {},
        {"extra": [("zoe", "ann", 1.0)]},
        {},
        r"edges column 'source' names 'zoe' \(edge 5\), which is no",
    ),
    "a number for a text": (
        {},
        {"extra": [("ann", 7, 1.0)]},
        {},
        "names 7 .edge 5., which is a int where ids are str",
    ),
    "a word among features": (
        {"a": ["x"] * 8},
        {},
        {"columns": "none"},
        "nodes column 'a' holds 'x' in row 0, not a finite number",
    ),
    "a gap in a feature": (
        {"b": [1.0, None] * 4},
        {},
        {"columns": "none"},
        "nodes column 'b' holds nothing in row 1",
    ),
    "a date": (
        {"b": pd.to_datetime(["2020-01-01"] * 8)},
        {},
        {"columns": "none"},
        "nodes column 'b' holds Timestamp",
    ),
    "no features": ({"a": None, "b": None}, {}, {}, "nodes has no column left for features"),
    "a label that is no class": (
        {"label": [0.5, 1.0] * 4},
        {},
        {},
        "nodes column 'label' holds 0.5: classes are whole",
    ),
    "labels of two kinds": ({"label": ["x", 1] * 4}, {}, {}, "nodes column 'label' mixes int and str"),
    "no known label": ({"label": [None] * 8}, {}, {}, "nodes column 'label' holds no known label"),
    "an unknown part": ({"split": ["dev"] * 8}, {}, {}, "nodes column 'split' holds 'dev' in row 0: choose train"),
    "no val part": ({"split": ["train", "test"] * 4}, {}, {}, "nodes column 'split' has no val node"),
    "an unknown label in train": (
        {"label": [None, *SIDES[1:]]},
        {},
        {},
        "puts node 'ann' into train, but its label",
    ),
    "a mask among features": ({"val_mask": True}, {}, {}, "nodes column 'val_mask' is no feature: name the three"),
    "two split columns": ({}, {}, {"split": ["a", "b"]}, "split names 2 columns: give one, or three"),
    "masks that are none": (
        {},
        {},
        {"split": ["a", "a", "b"], "features": ["b"]},
        "train_mask of nodes column 'a' and 'a' and 'b' is no",
    ),
    "a split and no labels": ({}, {}, {"label": None, "features": ["a"]}, "'split' is there, but no labels are"),
    "a negative weight": (
        {},
        {"weight": -1.0},
        {"weight": "weight"},
        "edges column 'weight' holds -1.0 for edge 0",
    ),
    "a word for a weight": (
        {},
        {"weight": "x"},
        {"weight": "weight"},
        "'weight' holds 'x' in row 0, not a finite number",
    ),
    "a seed below 0": ({}, {}, {"seed": -1}, "seed is -1: give a whole number"),
}


@pytest.mark.parametrize("mistake", FRAMES)
def test_wrong_frames(mistake: str) -> None:
    node_columns, edge_columns, keys, message = FRAMES[mistake]
    with pytest.raises(GraphKDError, match=message) as caught:
        from_frames(nodes(**node_columns), edges(**edge_columns), **{**FRAME, **keys})
    assert "\n" not in str(caught.value)


def test_only_frames_with_one_column_of_a_name() -> None:
    with pytest.raises(GraphKDError, match="nodes is a ndarray: give a pandas DataFrame"):
        from_frames(X, edges())
    with pytest.raises(GraphKDError, match="nodes has 2 columns 'a'"):
        from_frames(pd.concat([nodes(), nodes()[["a"]]], axis=1), edges(), **FRAME)


def test_the_index_names_nodes_and_three_columns_can_be_the_masks() -> None:
    masks = {f"is_{part}": [name == part for name in SPLIT] for part in ("train", "val", "test")}
    table = nodes(split=None, **masks).set_index("id")
    data = from_frames(table, edges(), label="label", split=[*masks], features=["b", "a"], columns="none")
    assert data.node_ids == IDS
    assert data.train_mask.tolist() == masks["is_train"]
    torch.testing.assert_close(data.x, torch.from_numpy(X).flip(1))


def test_a_graph_without_labels_can_be_predicted_on_but_not_trained_on() -> None:
    data = from_frames(nodes(label=None, split=None), edges(), id="id")
    assert "train_mask" not in data
    with pytest.raises(GraphKDError, match="data.y is missing"):
        graphkd.distill(data)


def test_an_undirected_edge_that_is_listed_twice_keeps_its_weight() -> None:
    twice = edges([(target, source, weight + 1) for source, target, weight in EDGES])
    once, both = (from_frames(nodes(), table, **FRAME, weight="weight") for table in (edges(), twice))
    assert torch.equal(once.edge_index, both.edge_index)
    loop = once.edge_index[0] == once.edge_index[1]
    torch.testing.assert_close(both.edge_weight[~loop], once.edge_weight[~loop] + 1)
    assert both.edge_weight[loop].tolist() == [3.0 + 4.0]


def test_a_frame_of_features_is_taken_by_the_nodes_names_where_it_has_them() -> None:
    users, ties = nodes(), edges()
    table = pd.DataFrame(X, index=users["id"], columns=["a", "b"])
    ways = {"id": "id", "label": "label", "columns": "none"}
    expected = from_frames(users, ties[["source", "target"]], features=X, **ways)
    for features in (table, table.iloc[::-1], table.reset_index(drop=True)):
        data = from_frames(users, ties[["source", "target"]], features=features, **ways)
        assert torch.equal(data.x, expected.x)
        assert data.feature_names == ["a", "b"]
    for features in (table.rename(index={users["id"][0]: "nobody"}), table.iloc[[0, *range(7)]]):
        with pytest.raises(GraphKDError, match="the index of features does not name the nodes"):
            from_frames(users, ties[["source", "target"]], features=features, **ways)


def test_texts_that_could_be_numbers_are_refused_as_when_serving() -> None:
    with pytest.raises(GraphKDError, match="nodes column 'a' holds '1' in row 0, not a finite number"):
        from_frames(nodes(a=["1"] * 8), edges(), id="id", label="label", features=["a"], columns="none")


def test_values_that_single_precision_cannot_tell_apart_are_warned_of() -> None:
    seconds = 1_700_000_000 + np.arange(8)
    with pytest.warns(UserWarning, match="column 'a' is one number in single precision, though it goes"):
        from_frames(nodes(a=seconds), edges(), id="id", label="label", features=["a", "b"], columns="none")


def test_whole_numbers_with_gaps_are_not_rounded() -> None:
    labels = pd.array([2**53 + 1, None, 2**53 + 2, 2**53 + 1] * 2, dtype="Int64")
    data = from_frames(nodes(label=labels), edges(), id="id", label="label", features=["a"])
    assert data.class_names == [2**53 + 1, 2**53 + 2]
    assert data.y.tolist() == [0, -1, 1, 0] * 2
