from typing import Any

import pytest

from graphkd.runs import advice


def metrics(**val: list[float]) -> dict[str, Any]:
    """Test scores say the opposite of validation scores: they must play no part."""
    count = len(next(iter(val.values())))
    seeds = [{part: {"val": each[at], "test": 1 - each[at]} for part, each in val.items()} for at in range(count)]
    return {"teacher": "gcn", "method": "glnn", "metric": "accuracy", "seeds": seeds}


def test_nothing_where_no_plain_mlp_is_better_or_none_was_trained() -> None:
    assert advice(metrics(teacher=[0.8], student=[0.8], mlp=[0.8], mlp_same_inputs=[0.8])) == []
    assert advice(metrics(teacher=[0.1], student=[0.1])) == []


@pytest.mark.parametrize(("teacher", "key"), [("gcn", "teacher=sage"), ("sage", "teacher.aggregator=mean")])
def test_a_teacher_below_the_plain_mlp(teacher: str, key: str) -> None:
    run = {**metrics(teacher=[0.6, 0.7], student=[0.9, 0.9], mlp=[0.8, 0.9]), "teacher": teacher}
    (line,) = advice(run)
    assert line.startswith("the plain MLP is better than the teacher on validation nodes (85.00 against 65.00)")
    assert key in line


def test_a_student_below_the_better_one_of_two_plain_mlps() -> None:
    (line,) = advice(metrics(teacher=[0.9], student=[0.5], mlp=[0.6], mlp_same_inputs=[0.7]))
    assert "MLP of the same inputs is better than the student on validation nodes (70.00 against 50.00)" in line
    assert "method.lam" in line


def test_propagated_rows_are_no_reproach_to_the_teacher() -> None:
    assert advice(metrics(teacher=[0.7], student=[0.9], mlp=[0.6], mlp_same_inputs=[0.8])) == []
