"""The ablations' command at its smallest size, and that its bases are the published cells."""

import csv
import importlib
import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest
import torch
from hypothesis import given

from graphkd.config import recipe_from
from tests.configs.test_configs import composed
from tests.methods.twins import graph_of
from tests.strategies import edge_lists, tables

FOLDER = Path(__file__).parents[2] / "experiments" / "ablations"
SOME = ["base", "glnn", "no_influence", "hops_1", "pooling_concat", "full_uniform", "full_degree"]
SOME += ["labels_10_infgrand", "labels_10_glnn"]


@pytest.fixture(scope="module")
def ablations() -> ModuleType:
    """Its ``run.py``, under another name than that of other experiments."""
    spec = importlib.util.spec_from_file_location("ablations", FOLDER / "run.py")
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        spec.loader.exec_module(module)
    return module


def test_it_runs_and_goes_on_where_it_stopped(
    ablations: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ["digits", "--seeds", "2", "--threads", "1", "--output-dir", str(tmp_path), "--only", *SOME]
    ablations.main(args)
    assert capsys.readouterr().out.count("digits 20") == 2 * len(SOME)
    rows = list(csv.DictReader((tmp_path / "results.csv").open()))
    assert [(row["variant"], row["seed"]) for row in rows] == [
        (name, seed) for seed in ("2022", "2023") for name in SOME
    ]
    assert len({row["teacher"] for row in rows if row["seed"] == "2022"}) == 2  # one more for the scarce labels
    text = (tmp_path / "tables.md").read_text()
    assert text.count("| reference |") == 6
    assert "All with `dataset.label_rate=0.1`." in text
    one = tmp_path / "digits" / "full_degree" / "2023.json"
    before = json.loads(one.read_text())
    one.unlink()
    ablations.main(args)
    assert capsys.readouterr().out.count("digits 20") == 1
    assert json.loads(one.read_text())["test"] == before["test"]
    one.write_text(json.dumps({**before, "overrides": ["dataset=cora"]}))
    with pytest.raises(SystemExit, match="was made with other settings"):
        ablations.main(args)


def test_every_variant_is_a_config(ablations: ModuleType) -> None:
    recipes = {name: recipe_from(composed(*ablations.overrides("cora", name))) for name in ablations.variants()}
    assert recipes["base"].names["influence"] == "infgrand"
    assert (recipes["glnn"].names["method"], recipes["pooling_max"].method.pooling) == ("glnn", "max")
    assert len({json.dumps(recipe.config(), sort_keys=True) for recipe in recipes.values()}) == len(recipes) - 6


@pytest.mark.parametrize("dataset", ["cora", "citeseer", "photo", "pubmed"])
def test_bases_are_the_published_cells_but_for_the_width(ablations: ModuleType, dataset: str) -> None:
    base = recipe_from(composed(*ablations.overrides(dataset, "base"))).config()
    published = recipe_from(composed(f"experiment=infgrand/{dataset}_sage_transductive")).config()
    for part in ("teacher", "student"):
        published[part]["hidden_dim"] = 256
    assert base == published


@given(edges=edge_lists(6), influence=tables(6, 1, low=0.5))
def test_the_mean_weights_are_one(ablations: ModuleType, edges: torch.Tensor, influence: torch.Tensor) -> None:
    influence = influence[:, 0] + 0.1
    delta, gamma = (float(key.split("=")[1]) for key in ablations.mean_one(graph_of(edges, 6), influence))
    pairs = {(int(a), int(b)) for a, b in edges.t() if a != b} | {(node, node) for node in range(6)}
    assert gamma * sum(float(influence[a]) for a, _ in pairs) / len(pairs) == pytest.approx(1, rel=1e-5)
    assert delta * float(influence[:3].mean()) == pytest.approx(1, rel=1e-5)


def test_what_is_no_variant_is_refused(ablations: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    for args in (["cor"], ["cora", "--only", "bas"]):
        with pytest.raises(SystemExit) as caught:
            ablations.main(args)
        assert caught.value.code == 2
        assert "unknown: " in capsys.readouterr().err
