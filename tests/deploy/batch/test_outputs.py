import csv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from graphkd.answers import ClassAnswers
from graphkd.cli import main
from graphkd.deploy import load_bundle
from graphkd.deploy.batch.block import Scored
from graphkd.deploy.batch.outputs import CsvOutput, class_columns, output_of
from tests.deploy.batch.files import NAMES, bundle, frame, table


def test_a_csv_holds_every_probability_to_the_bit(tmp_path: Path) -> None:
    folder, x = bundle(tmp_path, NAMES), table()
    frame(x).to_csv(tmp_path / "in.csv", index=False)
    for kind in ("csv", "parquet", "npy"):
        args = [str(tmp_path / "in.csv"), str(tmp_path / f"out.{kind}"), "--runtime", "numpy", "--probabilities"]
        assert main(["predict", str(folder), *args]) == 0
    found = pd.read_csv(tmp_path / "out.csv", dtype={"id": str})
    assert list(found.columns) == ["row", "id", "class", "name", "probability", "p_oak", "p_elm, white"]
    proba = found.filter(like="p_").to_numpy(np.float32)
    np.testing.assert_array_equal(proba, load_bundle(folder, "numpy").predict_proba(x))
    np.testing.assert_array_equal(proba, pd.read_parquet(tmp_path / "out.parquet").filter(like="p_"))
    np.testing.assert_array_equal(proba, np.load(tmp_path / "out.npy"))


def test_rejected_rows_have_no_line(tmp_path: Path) -> None:
    proba = np.float32([[1e-30, 1], [0.5, 0.5]])
    output = output_of(".csv", tmp_path / "out", 2, ClassAnswers(["a", "b"]), probabilities=True)
    output.add(Scored(0, 3, proba, list("xyz"), {1: "no"}))
    output.close()
    with (tmp_path / "out").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == ["x", "z"]
    assert [np.float32(row["p_a"]) for row in rows] == [np.float32(1e-30), np.float32(0.5)]


@pytest.mark.parametrize(
    ("names", "columns"),
    [
        (None, ["p_0", "p_1", "p_2"]),
        (["a", "b", "c"], ["p_a", "p_b", "p_c"]),
        (["row", "probability", "p_row"], ["p_row", "p_probability", "p_p_row"]),
        ([1, "1", 2], ["p_0", "p_1", "p_2"]),
        ([True, "True", 2], ["p_0", "p_1", "p_2"]),
        (["", "a,b", 'c"'], ["p_", "p_a,b", 'p_c"']),
    ],
)
def test_no_two_columns_have_one_name(tmp_path: Path, names: Any, columns: list[str]) -> None:
    assert class_columns(3, names) == columns
    output = CsvOutput(tmp_path / "out", ClassAnswers(names), columns)
    output.add(Scored(0, 1, np.float32([[0.25, 0.5, 0.25]]), ["x"]))
    output.close()
    with (tmp_path / "out").open(newline="") as file:
        head, row = csv.reader(file)
    assert len(set(head)) == len(head) == len(row)
    assert head[-3:] == columns
