import pytest
import torch
from sklearn.metrics import f1_score, roc_auc_score

from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.evaluation import expected_calibration_error
from graphkd.training.scoring.setting_scores import SettingLogits
from tests.conftest import make_data

SHARES = {"transductive": 0.0, "production": 0.2, "inductive": 1.0, "cold_start": 1.0}


@pytest.mark.parametrize("setting", SHARES)
def test_hidden_and_visible_test_nodes_are_mixed_as_the_protocol_says(setting: str) -> None:
    torch.manual_seed(0)
    data, logits, share = make_data(), torch.randn(60, 3), SHARES[setting]
    view = apply_setting(Graph.from_data(data), setting)
    found = SettingLogits.of_nodes(view, logits[view.nodes], logits[view.hidden]).scores
    right, hidden = logits.argmax(dim=1) == data.y, torch.zeros(60, dtype=torch.bool)
    hidden[view.hidden] = True
    visible = float(right[data.test_mask & ~hidden].double().mean())
    unseen = float(right[hidden].double().mean()) if share else 0.0
    assert found["val"] == float(right[data.val_mask].double().mean())
    assert found["test"] == pytest.approx(share * unseen + (1 - share) * visible)
    if share:
        assert (found["test_ind"], found["test_tran"]) == (unseen, visible)
    else:
        expected = f1_score(data.y[data.test_mask], logits.argmax(dim=1)[data.test_mask], average="macro")
        assert found["test_macro_f1"] == pytest.approx(expected)
        error = expected_calibration_error(logits[data.test_mask], data.y[data.test_mask])
        assert found["test_ece"] == error


def test_the_data_s_metric_is_used() -> None:
    torch.manual_seed(0)
    data, logits = make_data(num_classes=2), torch.randn(60, 2)
    data.metric = "roc_auc"
    view = apply_setting(Graph.from_data(data))
    mask, margin = data.test_mask, logits[:, 1] - logits[:, 0]
    found = SettingLogits.of_nodes(view, logits, logits[:0]).scores
    assert found["test"] == pytest.approx(roc_auc_score(data.y[mask], margin[mask]))
    right = (logits.argmax(dim=1) == data.y)[mask].double().mean()
    assert found["test_accuracy"] == pytest.approx(float(right))


@pytest.mark.parametrize(
    ("setting", "count"), [("transductive", "all"), ("production", "all"), ("inductive", "hidden")]
)
def test_the_confusion_matrix_counts_the_nodes_that_test_is_a_score_of(setting: str, count: str) -> None:
    torch.manual_seed(0)
    data, logits = make_data(), torch.randn(60, 3)
    view = apply_setting(Graph.from_data(data), setting)
    found = SettingLogits.of_nodes(view, logits[view.nodes], logits[view.hidden]).confusion
    nodes = data.test_mask.nonzero()[:, 0] if count == "all" else view.hidden
    expected = [[0] * 3 for _ in range(3)]
    for node in nodes.tolist():
        expected[int(data.y[node])][int(logits[node].argmax())] += 1
    assert found.counts.tolist() == expected
