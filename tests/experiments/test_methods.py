"""The comparison of methods at its smallest size, and that its settings are the published ones."""

import csv
import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.experiments.loading import load_run

ROOT = Path(__file__).parents[2]
SOME = ["glnn", "krd", "adagmlp"]


@pytest.fixture(scope="module")
def methods() -> ModuleType:
    """Its ``run.py``."""
    return load_run("methods")


@pytest.mark.slow
def test_it_runs_and_goes_on_where_it_stopped(
    methods: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ["digits", "--seeds", "1", "--output-dir", str(tmp_path)]
    methods.main([*args, "--students", *SOME])
    file = tmp_path / "digits" / "0.json"
    first = json.loads(file.read_text())
    assert set(first) == {*SOME, "teacher"}
    methods.main(args)
    found = json.loads(file.read_text())
    assert set(found) == {"teacher", *methods.STUDENTS} - {"vqgraph"}
    assert {name: found[name] for name in first} == first, "what is there is not trained again"
    rows = list(csv.DictReader((tmp_path / "results.csv").open()))
    assert {row["model"]: float(row["test"]) for row in rows} == pytest.approx(
        {model: found[model]["test"] for model in found}, abs=1e-4
    )
    assert f"| {100 * (found['krd']['test'] - found['glnn']['test']):+.2f} |" in capsys.readouterr().out


@pytest.mark.slow
def test_a_file_of_other_settings_is_refused(methods: ModuleType, tmp_path: Path) -> None:
    args = ["digits", "--seeds", "1", "--output-dir", str(tmp_path), "--students", "glnn"]
    methods.main(args)
    file = tmp_path / "digits" / "0.json"
    found = json.loads(file.read_text())
    found["glnn"]["settings"]["training"]["lr"] = 0.5
    file.write_text(json.dumps(found))
    with pytest.raises(SystemExit, match="glnn was made with other settings"):
        methods.main(args)


def rows(cell: str, **scores: list[float]) -> list[dict[str, Any]]:
    """Rows of models whose seeds are 0, 1, …"""
    return [
        {"cell": cell, "seed": seed, "model": model, "test": score, "seconds": 1.0}
        for model, values in scores.items()
        for seed, score in enumerate(values)
    ]


def test_differences_are_paired_by_seed() -> None:
    tables = load_run("methods", "tables")
    found = rows("cpf_cora", glnn=[0.7, 0.8, 0.9, 0.1], krd=[0.72, 0.80, 0.93])
    assert tables.gain(found, "cpf_cora", "krd").startswith("+1.67 [")
    assert tables.gain(found, "cpf_cora", "glnn") == tables.gain(found, "cpf_cora", "simmlp") == "–"
    assert tables.mean_and_std(tables.scores(found[:2], "cpf_cora", "glnn")) == "75.00 ± 5.00"


def test_ranks_are_of_the_models_that_every_data_set_has() -> None:
    tables = load_run("methods", "tables")
    cora = rows("cpf_cora", mlp=[0.5], glnn=[0.8], krd=[0.9], simmlp=[0.99])
    photo = rows("cpf_photo", mlp=[0.6], glnn=[0.9], krd=[0.8])
    result, models = tables.ranks([*cora, *photo], ["cpf_cora", "cpf_photo"])
    assert models == ["mlp", "glnn", "krd"]
    assert result.mean_ranks.tolist() == [3.0, 1.5, 1.5]
    text = tables.overview([*cora, *photo], "transductive")
    assert "| KRD | x | 90.00 | 80.00 | 1.5 |" in text
    assert "| SimMLP | x | 99.00 | – | – |" in text
    assert "Friedman's test over 2 data sets" in text
    assert tables.overview(cora, "production") == ""


def test_bars_join_ranks_that_do_not_differ() -> None:
    diagram = load_run("methods", "diagram")
    assert diagram.groups([2.5, 1.0, 1.5, 4.0], 1.5) == [(1.0, 2.5), (2.5, 4.0)]
    assert diagram.groups([1.0, 2.0, 3.0], 0.5) == []


def test_configs_are_what_the_table_of_settings_gives() -> None:
    configs = load_run("methods", "configs")
    configs.main(["--check"])
    written = set(configs.CONFIGS.glob("*/cpf_*.yaml"))
    assert written == set(configs.files())


@pytest.mark.slow  # composes a config per method
@pytest.mark.parametrize(
    "dataset", ["cpf_cora", "cpf_computers", "cpf_citeseer_production", "cpf_pubmed_cold_start"]
)
def test_a_cell_has_one_teacher_and_one_student_shape(methods: ModuleType, dataset: str) -> None:
    specs = {name: spec.config() for name, spec in methods.CELLS[dataset]().specs().items()}
    assert set(specs) == set(methods.STUDENTS) - {"vqgraph"}
    for name, config in specs.items():
        assert config["teacher"] == specs["glnn"]["teacher"]
        layers = 1 if name == "cohop" else 2  # published as a linear model
        assert [config["student"][key] for key in ("num_layers", "hidden_dim")] == [layers, 128]
        for key in ("teacher_lr", "teacher_weight_decay"):
            assert config["training"][key] == specs["glnn"]["training"][key]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "method", "lam", "tau", "dropout"),
    [
        ("cpf_cora", "krd", 0.3, 1.1, 0.6),
        ("cpf_citeseer", "krd", 0.0, 0.8, 0.4),
        ("cora_krd", "krd", 0.3, 1.1, 0.6),
        ("cpf_cora", "ff_g2m", 0.5, 1.3, 0.4),
        ("cpf_citeseer", "ff_g2m", 0.1, 1.2, 0.5),
        ("cpf_cora", "adagmlp", 0.5, 0.9, 0.5),
        ("cpf_citeseer", "adagmlp", 0.1, 0.3, 0.9),
    ],
)
def test_settings_are_the_published_ones(
    methods: ModuleType, cell: str, method: str, lam: float, tau: float, dropout: float
) -> None:
    config = methods.CELLS[cell]().specs()[method].config()
    assert (config["method"]["lam"], config["method"]["tau"], config["student"]["dropout"]) == (lam, tau, dropout)
    assert (config["training"]["lr"], config["training"]["weight_decay"]) == (0.01, 0.0005)


def test_settings_are_chosen_on_validation_alone() -> None:
    grid = load_run("methods", "grid")
    assert len(set(grid.GRID)) == 12
    assert grid.OWN in grid.GRID
    best = grid.GRID[5]
    rows = [
        {**dict(zip(grid.KEYS, each, strict=True)), "seed": seed, "val": 0.7 + 0.01 * (each == best), "test": test}
        for each in grid.GRID
        for seed, test in enumerate((0.70, 0.72) if each == best else (0.80, 0.82))
    ]
    assert grid.chosen(rows) == best
    assert grid.per_seed(rows, "val").tolist() == pytest.approx([70, 72])
    assert grid.per_seed(rows, "test").tolist() == pytest.approx([80, 82])
    # The errors are 1, of 70 and 72, and 1.70 over the root of 9.
    assert "chosen: 71.00, published 72.84: -1.84, standard error 1.15" in grid.to_markdown(rows)


def test_an_unknown_cell_is_refused(methods: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        methods.main(["cpf_core"])
    assert caught.value.code == 2
    assert "unknown: cpf_core" in capsys.readouterr().err


def test_every_method_has_a_cost(methods: ModuleType) -> None:
    costs = load_run("methods", "costs_of")
    assert set(costs.FORMULAS) == {*methods.STUDENTS} - {"mlp_neighbours"}


def sizes(costs: ModuleType, method: Any, **changed: Any) -> Any:
    """Sizes whose products can be counted by hand."""
    keys = {
        "n": 100,
        "e": 40,
        "columns": 50,
        "entries": 300,
        "classes": 16,
        "d": 8,
        "labelled": 10,
        "dense": False,
    }
    return costs.Sizes(**{**keys, "drops": False, "norm": False, "codes": 7, "method": method, **changed})


def test_counts_are_those_of_the_products() -> None:
    costs = load_run("methods", "costs_of")
    glnn = costs.glnn(sizes(costs, None))
    assert (glnn.sparse, glnn.dense, glnn.softmax) == (2 * 300 * 8, 3 * 100 * 8 * 16, 200)
    dense = costs.glnn(sizes(costs, None, dense=True))
    assert (dense.sparse, dense.dense) == (0, 3 * 100 * 8 * 16 + 2 * 100 * 50 * 8)
    assert costs.ff_g2m(sizes(costs, None)).softmax - glnn.softmax == 3 * 40
    assert costs.vqgraph(sizes(costs, None)).dense - glnn.dense == 3 * 100 * (8 * 8 + 7 * 8)
    three = SimpleNamespace(members=3)
    assert costs.adagmlp(sizes(costs, three)).dense == 3 * glnn.dense
    without = SimpleNamespace(steps=5, gram=0.0, adversarial=0.0)
    assert costs.nosmog(sizes(costs, without)) == glnn
    ascent = costs.nosmog(sizes(costs, SimpleNamespace(steps=1, gram=0.0, adversarial=0.1))).dense - glnn.dense
    assert ascent == 4 * 100 * 50 * 8 + 5 * 100 * 8 * 16


@pytest.mark.parametrize("slow", [False, True])
def test_a_method_that_takes_longer_than_its_formula_is_named(slow: bool) -> None:
    cost = load_run("methods", "cost")
    contenders = {name: cost.Contender(None, sizes(cost, None), name) for name in ("glnn", "krd")}
    rates = dict.fromkeys(("dense", "sparse", "moved", "softmax"), 1e-9)
    expected = cost.time_of(cost.FORMULAS["glnn"][1](sizes(cost, None)), rates) + 0.001
    seconds = {("calls", name): 0.002 for name in contenders} | {("step", "glnn"): 2 * expected}
    seconds["step", "krd"] = 2 * expected * (1.6 if slow else 1.4)
    table, named = cost.to_markdown(contenders, seconds, rates, steps=2)
    assert named == (["krd"] if slow else [])
    assert f"| {1.6 if slow else 1.4:.2f} | as GLNN |" in table


@pytest.mark.slow
def test_costs_are_measured_beside_their_formulas(capsys: pytest.CaptureFixture[str]) -> None:
    cost = load_run("methods", "cost")
    cost.MOST = float("inf")  # one step of few nodes on a busy machine can take any time
    cost.main(["--cell", "digits", "--rounds", "1", "--steps", "1"])
    rows = [line.split("|")[1].strip() for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert {name.split(",")[0] for name in rows} == {*cost.FORMULAS} - {"vqgraph"}
    assert {"progmlp, student3", "krd, before an epoch", "simmlp, probe"} <= {*rows}


def test_the_readme_shows_the_committed_scores() -> None:
    small = load_run("methods", "small_table")
    assert small.small_table(small.committed_rows()) in (ROOT / "README.md").read_text()
