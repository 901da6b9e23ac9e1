import numpy as np
import pytest
import torch

import graphkd
from graphkd import Training
from graphkd.runs.evaluation import never_predicted
from tests.conftest import make_data
from tests.contract.inputs import SHORT


def record(support: list[int], predicted: list[int]) -> dict[str, list[object]]:
    return {
        "names": ["ok", "fraud", "b", "c", "d", "e"][: len(support)],
        "support": support,
        "predicted": predicted,
    }


def test_a_class_that_is_never_predicted_is_one_line() -> None:
    (line,) = never_predicted([record([95, 5], [100, 0])])
    assert line == (
        "class 'fraud' (5 % of test nodes) is never predicted: try training.metric=balanced_accuracy with "
        "training.class_weight=balanced, or with balance=bkd"
    )
    assert never_predicted([record([95, 5], [99, 1])]) == []
    assert never_predicted([record([100, 0], [100, 0])]) == []  # nothing to be predicted
    (line,) = never_predicted([record([95, 5], [100, 0]), record([95, 5], [99, 1])])
    assert "is never predicted in 1 of 2 seeds: try" in line


def test_many_such_classes_are_four_lines() -> None:
    lines = never_predicted([record([50, 5, 9, 7, 1, 8], [80, 0, 0, 0, 0, 0])])
    assert [line.split()[1] for line in lines[:3]] == ["'b'", "'e'", "'c'"]
    assert lines[3:] == ["2 more classes are never predicted"]
    assert never_predicted([record([50, 5, 9, 7, 1], [80, 0, 0, 0, 0])])[3:] == ["1 more class is never predicted"]


@pytest.mark.parametrize("setting", ["transductive", "production"])
def test_a_run_evaluates_to_what_it_recorded(setting: str) -> None:
    data = make_data()
    data.class_names = ["ant", "bee", "cow"]
    run = graphkd.distill(data, training=Training(max_epochs=30), setting=setting, baseline=False)
    found, (seed,) = run.evaluate(), run.metrics["seeds"]
    assert found.scores == [seed["student"]]
    assert found.confusion.record == {key: seed["classes"]["student"][key] for key in found.confusion.record}
    assert [row["class"] for row in found.classes] == seed["classes"]["names"] == ["ant", "bee", "cow"]
    assert found.reliability.count.sum() == found.confusion.counts.sum() == data.test_mask.sum()


def test_an_unbalanced_table_is_remarked_on() -> None:
    data = make_data(num_classes=2)
    data.x, data.y = torch.ones_like(data.x), torch.zeros(60, dtype=torch.long)
    for mask in (data.train_mask, data.val_mask, data.test_mask):
        data.y[mask.nonzero()[0]] = 1
    data.class_names = ["ok", "fraud"]
    with pytest.warns(UserWarning, match="class 'fraud' .* is never predicted"):
        run = graphkd.distill(data, training=SHORT, baseline=False)
    assert np.array(run.evaluate().confusion.predicted).tolist()[1] == 0
    assert run.evaluate().warnings[0].startswith("class 'fraud'")
