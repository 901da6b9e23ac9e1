"""Files of raw columns, scored by a student whose columns were encoded in training."""

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graphkd
from graphkd import GraphKDError
from graphkd.commands.predict import predict
from tests.datasets.custom.graphs import blocks

Write = Callable[[pd.DataFrame, Path], object]


def to_jsonl(table: pd.DataFrame, path: Path) -> None:
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    path.write_text("".join(json.dumps(row, default=str) + "\n" for row in rows))


FORMATS: dict[str, Write] = {
    "rows.csv": lambda table, path: table.to_csv(path, index=False),
    "rows.tsv": lambda table, path: table.to_csv(path, index=False, sep="\t"),
    "rows.csv.gz": lambda table, path: path.write_bytes(gzip.compress(table.to_csv(index=False).encode())),
    "rows.jsonl": to_jsonl,
    "rows.parquet": lambda table, path: table.to_parquet(path, index=False),
}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Raw columns of every kind, with gaps."""
    nodes, _ = blocks()
    rng = np.random.default_rng(0)
    nodes["kind"] = np.array(["round", "square, or so", 'a "third"'])[rng.integers(0, 3, len(nodes))]
    nodes["wet"] = rng.random(len(nodes)) < 0.5
    nodes["planted"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, len(nodes)), unit="D")
    nodes.loc[nodes.index[::3], "girth"] = np.nan
    return nodes


@pytest.fixture(scope="module")
def run(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = graphkd.from_frames(table, blocks()[1], id="id", label="label")
    path = tmp_path_factory.mktemp("encoded") / "run"
    graphkd.distill(data, training=graphkd.Training(max_epochs=5)).save(path)
    return path


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_what_a_frame_gives(run: Path, table: pd.DataFrame, name: str, tmp_path: Path) -> None:
    columns = [*reversed([name for name in table.columns if name != "label"])]
    FORMATS[name](table[columns], tmp_path / name)
    predict(str(run), str(tmp_path / name), str(tmp_path / "out.npy"), runtime="numpy")
    expected = graphkd.load_bundle(run).predict_proba(table.drop(columns=["id", "label"]))
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), expected, atol=1e-6)


FAULTS = {
    "girth": ("broad", "column 'girth' holds 'broad', not a number"),
    "planted": ("soon", "column 'planted' holds 'soon', not a date"),
    "wet": ("perhaps", "column 'wet' holds 'perhaps', not a boolean"),
}


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.parquet"])
@pytest.mark.parametrize("column", FAULTS)
def test_a_row_that_cannot_be_encoded_is_named_or_put_aside(
    run: Path, table: pd.DataFrame, name: str, column: str, tmp_path: Path
) -> None:
    cell, message = FAULTS[column]
    spoilt = table.drop(columns="label").astype({column: object})
    if name == "rows.parquet" and column != "planted":
        spoilt[column] = spoilt[column].map(lambda value: None if value != value else str(value).lower())
        if column == "girth":
            pytest.skip("a parquet column of texts is no column of numbers in any row")
    if column == "planted":
        spoilt[column] = spoilt[column].map(lambda value: str(value)[:10])
    spoilt.loc[spoilt.index[4], column] = cell
    if name == "rows.parquet" and column == "wet":
        pytest.skip("a parquet column of texts is no column of booleans in any row")
    FORMATS[name](spoilt, tmp_path / name)
    files = str(tmp_path / name), str(tmp_path / "out.csv")
    with pytest.raises(GraphKDError, match=message):
        predict(str(run), *files, runtime="numpy")
    predict(str(run), *files, runtime="numpy", rejects=str(tmp_path / "rejects.csv"))
    (rejected,) = csv.DictReader((tmp_path / "rejects.csv").open())
    assert message in ",".join(rejected.values())
    assert len((tmp_path / "out.csv").read_text().splitlines()) == len(table)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop(columns="kind"), "kind"),
        (lambda table: table.rename(columns={"girth": "Girth"}), "girth"),
    ],
)
def test_a_missing_column_is_refused(
    run: Path, table: pd.DataFrame, change: Callable[[pd.DataFrame], pd.DataFrame], message: str, tmp_path: Path
) -> None:
    change(table).to_csv(tmp_path / "rows.csv", index=False)
    with pytest.raises(GraphKDError, match=message) as caught:
        predict(str(run), str(tmp_path / "rows.csv"), str(tmp_path / "out.csv"), runtime="numpy")
    assert "\n" not in str(caught.value)


def test_arrays_and_files_without_names_are_refused(run: Path, table: pd.DataFrame, tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", np.zeros((3, 5)))
    table.to_csv(tmp_path / "rows.csv", index=False)
    for name, keys, message in (
        ("rows.npy", {}, "has no names of columns"),
        ("rows.csv", {"header": False}, "reads columns by name: leave --no-header out"),
    ):
        with pytest.raises(GraphKDError, match=message):
            predict(str(run), str(tmp_path / name), str(tmp_path / "out.csv"), runtime="numpy", **keys)
