"""The comparison of methods at its smallest size, and that its settings are the published ones."""

import csv
import json
from pathlib import Path
from types import ModuleType

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
    assert list(found) == [*first, *(name for name in ("mlp", "ff_g2m", "simmlp"))]
    assert {name: found[name] for name in first} == first, "what is there is not trained again"
    (row,) = csv.DictReader((tmp_path / "results.csv").open())
    assert all(float(row[model]) == pytest.approx(found[model]["test"], abs=1e-4) for model in methods.COLUMNS)
    assert f"{100 * (found['krd']['test'] - found['glnn']['test']):+.2f} (–)" in capsys.readouterr().out


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


def test_differences_are_paired_by_seed(methods: ModuleType) -> None:
    rows = [{"glnn": 0.7, "krd": 0.72}, {"glnn": 0.8, "krd": 0.80}, {"glnn": 0.9, "krd": 0.93}, {"glnn": 0.1}]
    assert methods.gain(rows, "krd") == "+1.67 (0.88)"  # of 2, 0 and 3: std 1.53 over the root of 3
    assert methods.gain(rows, "glnn") == methods.gain(rows, "simmlp") == "–"
    assert methods.score(rows[:2], "krd") == "76.00 ± 4.00"


@pytest.mark.parametrize("dataset", ["cpf_cora", "cpf_citeseer"])
def test_a_cell_has_one_teacher_and_one_student_shape(methods: ModuleType, dataset: str) -> None:
    specs = {name: spec.config() for name, spec in methods.CELLS[dataset]().specs().items()}
    assert set(specs) == set(methods.STUDENTS)
    for config in specs.values():
        assert config["teacher"] == specs["glnn"]["teacher"]
        assert [config["student"][key] for key in ("num_layers", "hidden_dim")] == [2, 128]
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
