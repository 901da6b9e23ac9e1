"""Raw tables as data: fitted once the training nodes are known, recorded, and found again by a run."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import graphkd
from graphkd import GraphKDError, from_frames, load_dataset
from graphkd.columns import ColumnEncoding
from graphkd.datasets import Graph
from graphkd.runs import read_config
from tests.datasets.custom.graphs import IDS, SIDES, blocks, edges, nodes, write_folder
from tests.test_cli import FAST, command

ROLES = {"id": "id", "label": "label", "split": "split"}


def raw(**columns: Any) -> pd.DataFrame:
    """The nodes with a missing number, a category, a boolean, a code with zeros in front and a date."""
    table = {
        "a": [1.0, 3.0, 2.0, None, 5.0, 6.0, 7.0, 8.0],
        "b": None,
        "town": ["Rome", "Oslo", "Rome", "Bern", "Oslo", None, "Rome", "Oslo"],
        "open": [True, False, True, True, False, True, False, True],
        "code": ["007", "7", "007", "7", "007", "7", "007", "8"],
        "since": ["2020-01-01", "2021-07-01", "2022-01-01", "2020-02-01", *["2020-03-01"] * 4],
    }
    return nodes(**{**table, **columns})


def big(seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Three groups with a category that few nodes have, so that splits differ in what they see."""
    table, ties = blocks()
    draw = np.random.default_rng(seed)
    return table.assign(
        town=draw.choice([f"town{at}" for at in range(20)], len(table)), girth=1e4 * table["girth"]
    ), ties


def test_a_table_becomes_features_of_its_training_rows() -> None:
    data = from_frames(raw(), edges()[["source", "target"]], **ROLES, columns={"code": "drop"})
    encoding = data.column_encoding
    assert isinstance(encoding, ColumnEncoding)
    assert data.feature_names == list(encoding.names_out)
    assert encoding.rows == 2  # ann and bob train
    torch.testing.assert_close(data.x[:2, 0], torch.tensor([-1.0, 1.0]))
    np.testing.assert_array_equal(data.x.numpy(), encoding.transform(raw()))
    assert "town=Bern" not in data.feature_names
    graph = Graph.from_data(data)
    assert graph.column_encoding == encoding


def test_other_rows_do_not_matter_in_any_form(tmp_path: Path) -> None:
    plain = {"code": None}
    changes = {"a": [1.0, 3.0, 999.0, None, 5.0, 6.0, 7.0, 8.0], "town": ["Rome", "Oslo", *["Chur"] * 6]}
    encodings = []
    for number, columns in enumerate((plain, {**plain, **changes})):
        table, ties = raw(**columns), edges()[["source", "target"]]
        folder = write_folder(tmp_path / f"csv{number}", table, ties)
        arrow = tmp_path / f"arrow{number}"
        arrow.mkdir()
        table.to_parquet(arrow / "nodes.parquet")
        ties.to_parquet(arrow / "edges.parquet")
        encodings += [from_frames(table, ties, **ROLES).column_encoding]
        encodings += [load_dataset("custom", path=each).column_encoding for each in (folder, arrow)]
    assert all(encoding == encodings[0] for encoding in encodings)


def test_a_csv_keeps_what_is_written_of_a_category(tmp_path: Path) -> None:
    table = raw(town=None, open=None, since=None)
    folder = write_folder(tmp_path / "csv", table, edges()[["source", "target"]])
    assert load_dataset("custom", path=folder).feature_names == ["a", "code"][:1]  # 007 and 7 are one number
    data = load_dataset("custom", path=folder, columns={"code": "category"})
    assert data.feature_names == ["a", "code=007", "code=7", "code=unknown"]
    assert data.x[7].tolist()[1:] == [0.0, 0.0, 1.0]
    assert data.graphkd["columns"] == {"code": "category"}


def test_a_cell_that_is_no_number_names_the_line(tmp_path: Path) -> None:
    table = raw(code=None).astype({"a": object})
    table.loc[5, "a"] = "n/a"
    folder = write_folder(tmp_path / "csv", table, edges()[["source", "target"]])
    with pytest.raises(GraphKDError, match=r"nodes\.csv line 7: column 'a' holds 'n/a', not a number$"):
        load_dataset("custom", path=folder)
    with pytest.raises(GraphKDError, match="nodes column 'a' holds 'n/a' in row 5, not a number"):
        from_frames(table, edges()[["source", "target"]], **ROLES)


def test_a_drawn_split_fits_its_own_rows_and_the_table_stays_the_same(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "forest", *big())
    first, second = (load_dataset("custom", path=folder, seed=seed) for seed in (0, 1))
    assert first.column_encoding != second.column_encoding
    assert first.graphkd["fingerprint"] == second.graphkd["fingerprint"]
    assert first.graphkd["split_fingerprint"] != second.graphkd["split_fingerprint"]
    assert Graph.from_data(first).fingerprint() != Graph.from_data(second).fingerprint()
    rows = first.train_mask.numpy().nonzero()[0]
    assert ColumnEncoding.fit(big()[0][["height", "girth", "town"]], rows) == first.column_encoding
    write_folder(folder, big()[0].assign(height=0.5), big()[1])
    assert load_dataset("custom", path=folder).graphkd["fingerprint"] != first.graphkd["fingerprint"]


def test_the_label_rate_and_the_largest_component_come_before_the_fit(tmp_path: Path) -> None:
    table, ties = big()
    lone = table.iloc[[0]].assign(id="lone", height=1e9)
    folder = write_folder(tmp_path / "forest", pd.concat([lone, table]), ties)
    data = load_dataset("custom", path=folder, label_rate=0.5)
    assert data.column_encoding.rows == int(data.train_mask.sum()) < 36
    table, ties = (pd.concat([each] * 3) for each in blocks(60))
    table["id"], table["town"] = [f"n{at}" for at in range(540)], ["Rome", "Oslo"] * 270
    ring = pd.DataFrame({"source": table["id"][:-1].to_numpy(), "target": table["id"][1:].to_numpy()})
    folder = write_folder(tmp_path / "ring", pd.concat([lone.assign(town="Rome"), table]), ring)
    data = load_dataset("custom", path=folder, split="cpf")
    assert data.num_nodes == 540
    assert data.x[:2, data.feature_names.index("town=Oslo")].tolist() == [0.0, 1.0]


def test_a_graph_to_predict_on_takes_the_encoding_of_the_training_graph() -> None:
    ties = edges()[["source", "target"]]
    data = from_frames(raw(), ties, **ROLES)
    later = raw(label=None, split=None).iloc[::-1]
    other = from_frames(later, ties, id="id", columns=data.column_encoding)
    assert other.column_encoding == data.column_encoding
    torch.testing.assert_close(other.x, data.x.flip(0))
    with pytest.raises(
        GraphKDError, match="nodes column 'town' holds .*without training nodes nothing is encoded: give"
    ):
        from_frames(later, ties, id="id")
    with pytest.warns(UserWarning, match="nodes has no training nodes to fit its columns to: they stay as they"):
        plain = from_frames(nodes(label=None, split=None), ties, id="id")
    assert "column_encoding" not in plain


def test_a_frame_of_features_is_encoded_and_an_array_is_not() -> None:
    ties, table = edges()[["source", "target"]], raw().drop(columns=["label", "split"]).set_index("id")
    ways: dict[str, Any] = {**ROLES, "features": table.iloc[::-1]}
    data = from_frames(nodes(), ties, **ways)
    torch.testing.assert_close(data.x, from_frames(raw(), ties, **ROLES).x)
    array = from_frames(nodes(), ties, **{**ways, "features": np.eye(8)})
    assert array.x.tolist() == np.eye(8).tolist()
    assert "column_encoding" not in array
    with pytest.raises(GraphKDError, match="columns names columns, but the features are an array"):
        from_frames(nodes(), ties, **{**ways, "features": np.eye(8)}, columns={"a": "drop"})


def test_an_untouched_table_has_no_encoding(tmp_path: Path) -> None:
    words = pd.DataFrame({"id": IDS, "label": SIDES, "split": nodes()["split"], "w": [0, 1] * 4, "v": [1, 0] * 4})
    folder = write_folder(tmp_path / "csv", words, edges()[["source", "target"]])
    for data in (load_dataset("custom", path=folder), from_frames(words, edges()[["source", "target"]], **ROLES)):
        assert data.x.tolist() == [[0.0, 1.0], [1.0, 0.0]] * 4
        assert data.feature_names == ["w", "v"]
        assert "column_encoding" not in data
        assert Graph.from_data(data).column_encoding is None


def test_columns_that_are_left_alone_are_warned_of_where_scales_differ(tmp_path: Path) -> None:
    table, ties = blocks()
    table["girth"] *= 1e4
    with pytest.warns(UserWarning, match="columns 'girth' and 'height' differ in scale by a factor of"):
        from_frames(table, ties, id="id", label="label", columns="none")
    with pytest.warns(UserWarning, match="differ in scale"):
        load_dataset("custom", path=write_folder(tmp_path / "forest", table, ties), columns="none")


def test_an_encoding_of_other_features_is_refused() -> None:
    data = from_frames(*big(), id="id", label="label")
    data.x, data.feature_names = data.x[:, :2], data.feature_names[:2]
    with pytest.raises(GraphKDError, match=r"data\.column_encoding makes other features than data\.feature_names"):
        graphkd.distill(data)


def test_changed_features_are_data_in_memory(tmp_path: Path) -> None:
    data = load_dataset("custom", path=write_folder(tmp_path / "forest", *big()))
    data.x = data.x * 2
    with pytest.warns(UserWarning, match="the masks or the encoded features of custom were changed"):
        assert Graph.from_data(data).origin["in_memory"]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a name": ({"columns": "all"}, "columns is 'all': choose auto, none, or"),
    "a kind": ({"columns": {"a": "code"}}, "columns: 'a' is 'code': choose one of number"),
    "a column": ({"columns": {"zip": "drop"}}, r"columns names 'zip', but .*nodes\.csv has height, girth, town"),
    "a scale": ({"numeric": "log"}, "numeric is 'log': choose one of"),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_wrong_arguments(mistake: str, tmp_path: Path) -> None:
    keys, message = WRONG[mistake]
    with pytest.raises(GraphKDError, match=message):
        load_dataset("custom", path=write_folder(tmp_path / "forest", *big()), **keys)
    with pytest.raises(GraphKDError, match=r"dataset\.columns and numeric are for dataset=custom, not for digits"):
        load_dataset("digits", columns="none")


def test_the_command_line_encodes_and_evaluates_the_same_table(tmp_path: Path) -> None:
    write_folder(tmp_path / "forest", *big())
    args = ["distill", "dataset=custom", "dataset.path=forest", "output_dir=run", "seeds=2", *FAST]
    done = command(*args, "dataset.columns={town: category}", "dataset.numeric=robust", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "column height: number, scaled by median and quartiles" in done.stdout
    config = read_config(tmp_path / "run")["dataset"]
    assert (config["columns"], config["numeric"]) == ({"town": "category"}, "robust")
    assert command("evaluate", "run", cwd=tmp_path).returncode == 0
    again = command(*args, "+dataset.columns.town=category", "dataset.numeric=robust", cwd=tmp_path)
    assert again.returncode == 0
    other = command(*args, cwd=tmp_path)
    assert (other.returncode, "holds a run with another dataset.columns" in other.stderr) == (2, True)
    refused = command("distill", "dataset=cora", "+dataset.columns=none", *FAST, cwd=tmp_path)
    assert "dataset.columns and numeric are for dataset=custom, not for cora" in refused.stderr
