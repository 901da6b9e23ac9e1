"""The ablations' command at its smallest size, and that its bases are the published cells."""

import csv
import json
from pathlib import Path
from types import ModuleType

import pytest
import torch
from hypothesis import given
from scipy import stats

from graphkd import influence
from graphkd.config import composed, spec_from
from graphkd.registry import catalogue
from tests.experiments.loading import load_run
from tests.methods.twins import graph_of
from tests.strategies import edge_lists, tables

SOME = ["base", "glnn", "full_degree", "labels_10_glnn"]


@pytest.fixture(scope="module")
def ablations() -> ModuleType:
    """Its ``run.py``."""
    return load_run("ablations")


@pytest.mark.slow
def test_it_runs_and_goes_on_where_it_stopped(
    ablations: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ["digits", "--seeds", "1", "--threads", "1", "--output-dir", str(tmp_path), "--only", *SOME]
    ablations.main(args)
    assert capsys.readouterr().out.count("digits 2022") == len(SOME)
    rows = list(csv.DictReader((tmp_path / "results.csv").open()))
    assert [row["variant"] for row in rows] == SOME
    assert rows[0]["teacher"] == rows[1]["teacher"] != rows[3]["teacher"]
    one = tmp_path / "digits" / "full_degree" / "2022.json"
    before = json.loads(one.read_text())
    assert {"method.delta1=0", "influence=degree"} < set(before["overrides"])
    one.unlink()
    ablations.main(args)
    assert capsys.readouterr().out.count("digits 2022") == 1
    assert json.loads(one.read_text())["test"] == before["test"]
    one.write_text(json.dumps({**before, "overrides": ["dataset=cora"]}))
    with pytest.raises(SystemExit, match="was made with other settings"):
        ablations.main(args)


def test_tables_compare_each_family_with_its_reference(ablations: ModuleType, tmp_path: Path) -> None:
    """Made-up scores: concat is a point better on one data set, and nowhere else is there a difference."""
    noise = [0.0, 0.004, -0.003, 0.001, -0.002]
    rows = [
        {"dataset": dataset, "variant": variant, "seed": seed, "test": 0.8 + noise[seed] + gain + jitter}
        for dataset in ("cora", "photo")
        for seed in range(5)
        for variant, gain, jitter in (
            ("base", 0.0, 0.0),
            ("pooling_max", 0.0, noise[(seed + 2) % 5]),
            ("pooling_concat", 0.01 * (dataset == "cora"), 0.1 * noise[(seed + 1) % 5]),
            ("full_uniform", 0.0, 0.0),
        )
        if (dataset, seed, variant) != ("photo", 4, "pooling_max")
    ]
    text = ablations.write_tables(rows, tmp_path)
    assert "### Pooling" in text
    assert "whole weight" not in text  # nothing to compare
    base, most, beside = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")][1:]
    assert base[2:] == ["80.00 ± 0.24", "80.00 ± 0.24", "reference", " |"]
    assert (beside[0], beside[1], beside[2].strip("*"), beside[3]) == (
        "| pooling_concat", "`method.pooling=concat`", "81.00 ± 0.23", "80.00 ± 0.23",
    )  # fmt: skip
    assert beside[2].startswith("**")
    assert not most[2].startswith("**")
    found = {(row["part"], row["variant"]): row for row in csv.DictReader((tmp_path / "differences.csv").open())}
    assert len(found) == 6
    one, other = found["cora", "pooling_concat"], found["photo", "pooling_max"]
    assert (one["n"], other["n"], found["all", "pooling_max"]["n"]) == ("5", "4", "9")
    gaps = [1 + 10 * noise[(seed + 1) % 5] for seed in range(5)]
    expected = stats.ttest_1samp(gaps, 0.0)
    assert float(one["p"]) == pytest.approx(expected.pvalue, rel=1e-4)
    assert (float(one["low"]), float(one["high"])) == pytest.approx(expected.confidence_interval(), rel=1e-4)
    assert float(one["p_holm"]) == pytest.approx(2 * expected.pvalue, rel=1e-4)


@pytest.mark.slow
def test_variants_are_configs_and_influences_are_there(ablations: ModuleType) -> None:
    """One variant of each family."""
    names = ["base", *(list(family.variants)[-1] for family in ablations.FAMILIES.values())]
    specs = [spec_from(composed(ablations.overrides("cora", name))) for name in names]
    assert len({json.dumps(spec.config(), sort_keys=True) for spec in specs}) == 7  # of 9: three are glnn
    full = {name.removeprefix("full_") for name in ablations.FAMILIES["full"].variants}
    assert full <= set(catalogue(influence))


@pytest.mark.slow
@pytest.mark.parametrize("dataset", ["cora", "citeseer", "photo", "pubmed"])
def test_bases_are_the_published_cells_but_for_the_width(ablations: ModuleType, dataset: str) -> None:
    base = spec_from(composed(ablations.overrides(dataset, "base"))).config()
    published = spec_from(composed([f"experiment=infgrand/{dataset}_sage_transductive"])).config()
    for part in ("teacher", "student"):
        published[part]["hidden_dim"] = 256
    assert base == published


@given(edges=edge_lists(6), weights=tables(6, 1, low=0.5))
def test_the_mean_weights_are_one(ablations: ModuleType, edges: torch.Tensor, weights: torch.Tensor) -> None:
    weights = weights[:, 0] + 0.1
    delta, gamma = (float(key.split("=")[1]) for key in ablations.mean_one(graph_of(edges, 6), weights))
    pairs = {(int(a), int(b)) for a, b in edges.t() if a != b} | {(node, node) for node in range(6)}
    assert gamma * sum(float(weights[a]) for a, _ in pairs) / len(pairs) == pytest.approx(1, rel=1e-5)
    assert delta * float(weights[:3].mean()) == pytest.approx(1, rel=1e-5)


def test_what_is_no_variant_is_refused(ablations: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    for args in (["cor"], ["cora", "--only", "bas"]):
        with pytest.raises(SystemExit) as caught:
            ablations.main(args)
        assert caught.value.code == 2
        assert "unknown: " in capsys.readouterr().err
