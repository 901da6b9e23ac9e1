"""Label losses and units of labels and numbers, written as loops."""

import math

import pytest
import torch
from torch import nn

from graphkd.students import MLP
from graphkd.tasks import Multilabel, Regression
from tests.tasks.graphs import data_of

NAN = math.nan
Y = torch.tensor([[1.0, 500.0, 7.0], [3.0, 900.0, 7.0], [4.0, 100.0, 7.0], [90.0, NAN, 90.0]], dtype=torch.float64)
TRAIN = torch.tensor([0, 1, 2])
Z = torch.tensor([[0.5, -1.0, 0.25], [2.0, 0.0, -0.5]])


def moments(column: int) -> tuple[float, float]:
    """Mean and population deviation of the training nodes; a deviation of zero counts as one."""
    values = [float(Y[row, column]) for row in TRAIN.tolist()]
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((value - mean) ** 2 for value in values) / len(values)) or 1.0


def test_the_loss_of_numbers_is_the_mean_square_of_standardised_targets() -> None:
    task = Regression().fitted(Y, TRAIN)
    expected = []
    for row in range(2):
        parts = []
        for column in range(3):
            mean, deviation = moments(column)
            parts.append((float(Z[row, column]) - (float(Y[row, column]) - mean) / deviation) ** 2)
        expected.append(sum(parts) / len(parts))
    assert task.label_losses(Z, Y[:2]).tolist() == pytest.approx(expected, rel=1e-5)


def test_answers_are_in_the_user_s_units() -> None:
    task = Regression().fitted(Y, TRAIN)
    answers = task.answers(Z)
    for column in range(3):
        mean, deviation = moments(column)
        assert answers[:, column].tolist() == pytest.approx([z * deviation + mean for z in Z[:, column].tolist()])
    torch.testing.assert_close(task.naturals(answers), Z, rtol=1e-4, atol=1e-4)


def test_a_finished_student_gives_the_answers() -> None:
    task, student = Regression().fitted(Y, TRAIN), MLP(num_features=5, hidden_dim=4, num_classes=3).eval()
    last = student.layers[-1]
    assert isinstance(last, nn.Linear)
    nn.init.normal_(last.bias, generator=torch.Generator().manual_seed(0))
    x = torch.randn(6, 5, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = task.answers(student(x).logits)
        task.finish(student)
        torch.testing.assert_close(student(x).logits, expected)


def test_the_loss_of_labels_is_the_mean_over_the_known_ones() -> None:
    y = torch.tensor([[1.0, 0.0, NAN], [NAN, NAN, 1.0]])
    chance = torch.sigmoid(Z)
    expected = [
        -(math.log(chance[0, 0]) + math.log(1 - chance[0, 1])) / 2,
        -math.log(chance[1, 2]),
    ]
    assert Multilabel().label_losses(Z, y).tolist() == pytest.approx(expected, rel=1e-5)


def test_only_what_is_no_0_and_no_1_is_unknown() -> None:
    data = data_of("multilabel")
    data.y[1, 2] = -1.0
    labels, count = Multilabel().labels(data)
    assert count == 3
    assert labels.isnan().nonzero().tolist() == [[1, 2]]
    known = ~labels.isnan()
    assert torch.equal(labels[known], data.y[known])


def test_metrics_of_a_label_leave_out_nodes_where_it_is_unknown() -> None:
    y = torch.tensor([[1.0], [0.0], [NAN], [NAN]])
    (row,) = Multilabel().by_output(torch.tensor([[1.0], [-1.0], [1.0], [1.0]]), y)
    assert (row["precision"], row["recall"], row["support"]) == (1.0, 1.0, 1.0)
