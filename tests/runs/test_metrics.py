import math

import pytest

from graphkd.encoders import Encoder, Propagated
from graphkd.methods import GLNN, MLP, InfGraND, Method
from graphkd.runs import RunFacts, summarise, versions
from graphkd.runs.metrics import protocol
from graphkd.spec import DistillSpec, resolve


def facts_of(spec: DistillSpec, metric: str = "accuracy") -> RunFacts:
    is_plain = isinstance(spec.method, MLP) and spec.inputs.reads == "x"
    return RunFacts("toy", "masks", metric, spec.names, protocol(spec), is_plain)


def test_mean_and_population_standard_deviation() -> None:
    tests = [0.5, 0.7]
    entries = [{"teacher": {"test": 1.0}, "student": {"test": test}, "mlp": {"test": 0.1}} for test in tests]
    metrics = summarise(facts_of(resolve(), "roc_auc"), entries)
    assert metrics["metric"] == "roc_auc"
    assert metrics["mean"] == {"teacher_test": 1.0, "student_test": 0.6, "mlp_test": 0.1}
    assert metrics["std"]["student_test"] == pytest.approx(0.1)


@pytest.mark.parametrize("scores", [[0.9, 0.1, 0.2], [0.5, 0.5, 0.8, 0.5], [1.0, 0.0, 0.0, 0.0, 0.0], [0.3]])
def test_the_mean_and_spread_of_scores_that_are_not_even(scores: list[float]) -> None:
    entries = [{"teacher": {"test": score}, "student": {"test": score}} for score in scores]
    metrics = summarise(facts_of(resolve(), "accuracy"), entries)
    mean = sum(scores) / len(scores)
    spread = math.sqrt(sum((score - mean) ** 2 for score in scores) / len(scores))
    assert metrics["mean"]["student_test"] == pytest.approx(mean)
    assert metrics["std"]["student_test"] == pytest.approx(spread)


def test_hidden_and_visible_test_nodes_have_means_of_their_own() -> None:
    scores = {"test": 0.5, "test_ind": 0.25, "test_tran": 0.75}
    metrics = summarise(facts_of(resolve(), "accuracy"), [{"teacher": scores, "student": scores}])
    assert metrics["mean"]["student_test_ind"] == 0.25
    assert metrics["std"]["teacher_test_tran"] == 0.0


def test_what_each_model_reads_when_it_answers() -> None:
    def reads(method: Method, encoder: Encoder | str = "auto") -> dict[str, str]:
        return summarise(facts_of(resolve(method=method, encoder=encoder), "accuracy"), [])["reads"]

    assert reads(GLNN()) == {"teacher": "neighbours", "student": "x", "mlp": "x"}
    assert reads(InfGraND()) == {
        "teacher": "neighbours", "student": "neighbours", "mlp": "x", "mlp_same_inputs": "neighbours",
    }  # fmt: skip
    assert reads(InfGraND(hops=0))["student"] == "x"
    assert reads(MLP(), Propagated(hops=1)) == {"student": "neighbours", "mlp": "x"}
    assert reads(GLNN(), "positions") == {
        "teacher": "neighbours",
        "student": "x and positions",
        "mlp": "x",
        "mlp_same_inputs": "x and positions",
    }
    assert reads(MLP()) == {"student": "x"}


def test_versions_name_what_results_depend_on() -> None:
    assert {"python", "graphkd", "torch", "torch-geometric", "numpy"} <= set(versions())
