"""Two tables: what cannot be right ends in one line, what is odd but legal runs from end to end.

More mistakes are beside what they belong to: ``tests/test_cli.py`` (the command, data, runs),
``tests/test_api.py``, ``tests/test_estimator.py``, ``tests/datasets/test_validate.py`` (every part of a graph),
``tests/datasets/custom`` (frames, matrices, networks, folders), ``tests/deploy/batch/test_reading.py`` (rows to
predict on), ``tests/commands/test_influence.py`` (its keys and folders), ``tests/deploy`` (bundles),
``tests/training`` and ``tests/runs`` (settings, run folders).
"""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import graphkd
from graphkd import GraphKDError, evaluation
from graphkd.datasets import SETTINGS
from tests.contract.command_mistakes import COMMANDS, OWN, own_graph
from tests.contract.inputs import ODD, SHORT, SPECS, Net, features, graph
from tests.contract.mistakes import API, distilled
from tests.test_cli import command
from tests.tiers import some_of

ONE_TEST_NODE = {"three nodes"}
"""Nobody can be hidden there: in other settings it is a mistake."""


@pytest.mark.filterwarnings("ignore:setting=production hides nodes")
@pytest.mark.parametrize("mistake", API)
def test_a_mistake_is_one_line(mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call, message = API[mistake]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GraphKDError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("mistake", COMMANDS)
def test_so_is_one_on_the_command_line(mistake: str, tmp_path: Path) -> None:
    prepare, overrides, message = COMMANDS[mistake]
    if prepare is not None:
        prepare(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    output = [] if any(each.startswith("output_dir") for each in overrides) else ["output_dir=out"]
    done = command("distill", *output, *overrides, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("graphkd: ")
    assert message in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


EVERY = [(odd, setting) for odd in ODD for setting in SETTINGS]
QUICK = {(odd, list(SETTINGS)[k % len(SETTINGS)]) for k, odd in enumerate(ODD)}


@pytest.mark.parametrize(
    ("odd", "setting"),
    [pair if pair in QUICK else pytest.param(*pair, marks=pytest.mark.slow) for pair in EVERY],
)
def test_what_is_odd_but_legal_runs_from_end_to_end(odd: str, setting: str, tmp_path: Path) -> None:
    if odd in ONE_TEST_NODE and SETTINGS[setting].hides:
        pytest.skip("nobody to hide")
    data, number = ODD[odd](), list(ODD).index(odd) + 2 * list(SETTINGS).index(setting)
    keys = SPECS[number % len(SPECS)]
    run = graphkd.distill(data, setting=setting, training=SHORT, device="cpu", **keys)
    (entry,) = run.metrics["seeds"]
    for name, score in [*entry.get("teacher", {}).items(), *entry["student"].items()]:
        assert 0 <= score <= (2 if name == "test_brier" else 1)
    run.save(tmp_path / "run")
    model, weight = graphkd.load_bundle(tmp_path / "run" / "bundle"), data.get("edge_weight")
    proba = model.predict_proba(data.x, data.edge_index, edge_weight=weight)
    np.testing.assert_array_equal(proba, run.predictor.predict_proba(data.x, data.edge_index, edge_weight=weight))
    assert proba.shape == (data.num_nodes, run.result.graph.num_classes)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, rtol=1e-5)
    if setting == "transductive":
        whole = run.result.graph
        found = evaluation.score(whole.metric, torch.from_numpy(proba).log()[whole.test], whole.y[whole.test])
        assert found == pytest.approx(entry["student"]["test"])


@pytest.mark.parametrize("setting", some_of(SETTINGS, 4))
def test_an_odd_graph_in_a_folder_goes_from_the_command_to_predictions(setting: str, tmp_path: Path) -> None:
    own_graph(tmp_path, train_mask=np.arange(8) == 0, val_mask=np.arange(8) == 1, test_mask=np.arange(8) > 5)
    keys = ["output_dir=run", f"setting={setting}", "student.norm=batch", "training.max_epochs=2"]
    assert command("distill", *OWN, *keys, cwd=tmp_path).stderr == ""
    assert command("evaluate", "run", cwd=tmp_path).stderr == ""
    assert command("predict", "run", "graph", "out.csv", cwd=tmp_path).stdout == "8 predictions: out.csv\n"


def test_scalars_of_numpy_are_numbers_like_others(tmp_path: Path) -> None:
    def run(whole: type, real: type) -> graphkd.runs.Run:
        parts = {
            "student": functools.partial(graphkd.students.MLP, hidden_dim=whole(8)),
            "method": graphkd.methods.InfGraND(lam=real(0.5), hops=whole(1)),
            "matching": graphkd.matching.Forward(weight=real(2)),
            "training": graphkd.Training(max_epochs=whole(2), lr=real(0.25)),
        }
        return distilled(cache_dir=tmp_path / "cache", **parts)

    first = run(int, float)
    first.save(tmp_path / "run")
    kept = sorted(file.name for file in (tmp_path / "cache").rglob("*.safetensors"))
    run(np.int64, np.float32).save(tmp_path / "run")
    assert sorted(file.name for file in (tmp_path / "cache").rglob("*.safetensors")) == kept


def test_a_given_network_changes_nothing_and_comes_back_as_it_was() -> None:
    net = Net(lambda net, x, edges: net.linear(x.mul_(0)) + edges.zero_().sum()).train()
    net.frozen.eval()
    data = graph()
    run = distilled(data, teacher=net)
    assert (net.training, net.linear.training, net.frozen.training) == (True, True, False)
    assert isinstance(run.teacher, nn.Module)
    for part in (data.x, run.result.graph.x):
        assert torch.equal(part, features())
