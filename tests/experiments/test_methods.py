"""The comparison of methods at its smallest size, and that its settings are the published ones."""

import csv
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.experiments.loading import load_run

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
    assert "| KRD | x | 90.00 ± 0.00 | 80.00 ± 0.00 | 1.5 |" in text
    assert "| SimMLP | x | 99.00 ± 0.00 | – | – |" in text
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
