"""``graphkd influence``: the folder, the table, and what is refused."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import graphkd
from graphkd import GraphKDError
from graphkd.commands.influence import influence
from graphkd.commands.influence_files import FILES
from graphkd.config import spec_of
from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.influence import infgrand
from graphkd.influence.properties import KINDS
from graphkd.runs import InfluenceProfile, read_config
from tests.datasets.custom.graphs import arrays
from tests.datasets.planetoid_files import write_planetoid
from tests.test_cli import command

SHORT = ["training.max_epochs=3", "teacher.hidden_dim=8"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raw data, and the report of the published Cora cell on it, in ``out``."""
    folder = tmp_path_factory.mktemp("influence")
    write_planetoid(folder / "data" / "Cora" / "raw")
    done = command("influence", "cora", "experiment=infgrand/cora_sage_transductive", *SHORT, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    (folder / "stdout").write_text(done.stdout)
    return folder


@pytest.fixture(scope="module")
def report(folder: Path) -> Path:
    return folder / "runs" / "influence-cora-infgrand"


def test_the_folder_holds_what_the_library_says(folder: Path, report: Path) -> None:
    assert sorted(entry.name for entry in report.iterdir()) == sorted(FILES)
    data = graphkd.load_dataset("cora", folder / "data", download="never")
    table = np.load(report / "influence.npz", allow_pickle=False)
    graph = apply_setting(Graph.from_data(data)).observed
    score = infgrand(graph.x, graph.adj, variant="reference")
    np.testing.assert_array_equal(table["influence"], score.numpy())
    np.testing.assert_allclose(table["weight_distillation"], 1.0 + 0.4 * score.double().numpy())
    np.testing.assert_array_equal(np.isnan(table["weight_supervision"]), ~data.train_mask.numpy())
    assert set(table.files) == {"nodes", "influence", "weight_distillation", "weight_supervision", *KINDS}
    config = read_config(report)
    profile = InfluenceProfile.of(apply_setting(graph), spec_of(config, report), None, 2022)
    assert config["seeds"] == [2022]
    with (report / "summary.csv").open() as file:
        rows = {(row["part"], row["name"]): row for row in csv.DictReader(file)}
    found = profile.correlations["typicality"]
    figures = [float(rows["correlation", "typicality"][key]) for key in ("value", "low", "high", "nodes")]
    assert figures == [found.value, found.low, found.high, 610]
    assert float(rows["distribution", "quantile_0.5"]["value"]) == profile.distribution.quantiles[2]
    assert float(rows["variation", "supervision"]["value"]) == profile.terms["supervision"].variation.coefficient
    assert float(rows["moved", "distillation"]["value"]) == profile.terms["distillation"].variation.distance
    assert len([part for part, _ in rows if part == "correlation"]) == len(KINDS)


def test_what_is_printed_is_in_the_report_too(folder: Path, report: Path) -> None:
    first, *table, last = (folder / "stdout").read_text().splitlines()
    parts = ["influence infgrand", "method infgrand reference", "sage teacher", "seed 2022"]
    assert first == " · ".join(["cora", "public split", "transductive", *parts])
    assert last == "influence folder: runs/influence-cora-infgrand"
    text = (report / "influence.md").read_text()
    assert text.startswith(f"# {first}\n")
    assert "\n".join(table).strip() in text
    assert "| distillation: 1 + 0.4 I  |   610 |" in text
    assert len({len(line) for line in table if line.startswith(("| rank", "| teacher"))}) == 1


@pytest.mark.slow
def test_twice_gives_the_same_bytes(folder: Path, report: Path) -> None:
    before = {entry.name: entry.read_bytes() for entry in report.iterdir()}
    again = command("influence", *SHORT, "experiment=infgrand/cora_sage_transductive", "cora", cwd=folder)
    assert again.stdout == (folder / "stdout").read_text()
    assert {entry.name: entry.read_bytes() for entry in report.iterdir()} == before


def test_nothing_is_cut_off_at_the_edges_of_the_pictures(report: Path) -> None:
    for name in ("distribution", "scatter", "correlations"):
        pixels = Image.open(report / f"{name}.png").convert("L")
        edges = [(0, 0, 2, pixels.height), (pixels.width - 2, 0, pixels.width, pixels.height)]
        edges += [(0, 0, pixels.width, 2), (0, pixels.height - 2, pixels.width, pixels.height)]
        assert all(pixels.crop(edge).getextrema() == (255, 255) for edge in edges)


@pytest.mark.slow
def test_an_influence_that_ranks_nothing_on_a_graph_of_one_s_own(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    np.savez(tmp_path / "mine" / "graph.npz", **arrays())
    keys = ["dataset.path=mine", "dataset.directed=true", "influence=uniform", "--no-teacher", "output_dir=out"]
    done = command("influence", "custom", *keys, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("mine · ")
    assert "no teacher" in done.stdout
    (row,) = (line for line in done.stdout.splitlines() if line.startswith("| feature typicality"))
    assert [cell.strip() for cell in row.split("|")[2:4]] == ["–", "–"]
    assert sorted(entry.name for entry in (tmp_path / "out").iterdir()) == sorted(FILES)


def test_without_matplotlib_nothing_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_matplotlib: None
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("graphkd.commands.influence.load_graph", lambda *_: pytest.fail("it was"))
    with pytest.raises(GraphKDError, match=r"a plot needs matplotlib: pip install 'graphkd\[plot\]'"):
        influence(["digits"])


def test_help_names_what_there_is(tmp_path: Path) -> None:
    done = command("influence", "--help", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: graphkd influence DATASET [--no-teacher] [KEY=VALUE] …\n")
    assert "graphkd influence DATASET" in " ".join(command("--help", cwd=tmp_path).stdout.split())


MISTAKES = {
    "no data set": ([], "give one data set, not none: graphkd influence DATASET"),
    "two data sets": (["cora", "digits"], "give one data set, not cora and digits"),
    "a data set as a key": (["dataset=cora"], "give one data set, not dataset=cora"),
    "a data set as a name and a key": (["cora", "dataset=cora"], "give one data set, not cora and dataset=cora"),
    "an unknown data set": (["coral"], "unknown dataset 'coral': did you mean 'cora'?"),
    "a number for a data set": (["3"], "dataset is 3: choose one of blogcatalog"),
    "an unknown key": (["digits", "metod.lam=0.3"], "unknown key 'metod.lam'"),
    "an added key": (["digits", "+studnt=mlp"], "unknown key 'studnt': did you mean 'student'"),
    "an unknown influence": (["digits", "influence=rank"], "unknown influence 'rank'"),
    "a key of another influence": (["digits", "influence=degree", "influence.hops=3"], "no key of the influence"),
    "a flag of another command": (["digits", "-m"], "unknown flag -m: there are --no-teacher, -h, --help"),
    "no data": (["cora", "download=never", "data_dir=nowhere"], "cora is not in data_dir=nowhere"),
    "no influence": (
        ["digits", "influence=none"],
        "method=infgrand with influence=none leaves nothing to measure",
    ),
    "a method that weights nothing": (["digits", "method=glnn"], "method=glnn with influence=none leaves nothing"),
    "one without effect": (["digits", "method=glnn", "influence=degree"], "method=glnn weights no nodes"),
    "a teacher that is not there": (
        ["digits", "influence=confidence", "--no-teacher"],
        "influence=confidence reads the teacher: leave out --no-teacher",
    ),
    "a folder below a file": (["digits", "output_dir=/dev/null/out"], "/dev/null/out cannot be made"),
    "the current folder": (["digits", "output_dir=."], "output_dir=. is the current folder"),
    "no place": (["digits", "output_dir="], "output_dir is '': give a path"),
    "no device": (["digits", "device=tpu"], "device is 'tpu': choose auto, cpu or cuda"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_and_leaves_nothing(mistake: str, tmp_path: Path) -> None:
    args, message = MISTAKES[mistake]
    done = command("influence", *args, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("graphkd: ")
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").touch()
    done = command("influence", "digits", "output_dir=out", "--no-teacher", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "out exists and holds other files than a report's: choose another output_dir" in done.stderr
    assert [entry.name for entry in (tmp_path / "out").iterdir()] == ["thesis.tex"]
