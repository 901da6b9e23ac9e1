"""Views of a teacher: their losses as loops in float64, the ensemble by hand, and what the heads may read."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from graphkd import GraphKDError
from graphkd.teachers import TeacherOutput
from graphkd.testing.graphs import small_graph
from graphkd.testing.methods import teacher_output
from graphkd.transforms import AngularViews, Fitted
from graphkd.transforms.angular_heads import Heads
from graphkd.transforms.angular_losses import inter_angle, intra_angle

GRAPH = small_graph(num_nodes=30)
TEACHER = teacher_output(GRAPH)


def fitted(transform: AngularViews, teacher: TeacherOutput = TEACHER) -> Fitted:
    torch.manual_seed(3)
    return Fitted(transform.fit(GRAPH, teacher))


def unit(row: list[float]) -> list[float]:
    size = math.sqrt(sum(entry**2 for entry in row))
    return [entry / size for entry in row]


def dot(one: list[float], two: list[float]) -> float:
    return sum(a * b for a, b in zip(one, two, strict=True))


def softplus(value: float) -> float:
    return math.log1p(math.exp(value))


def literal_inter(teacher: list, views: list, margin: float) -> float:
    count, rows = len(views), len(teacher)
    anchors, units = [unit(row) for row in teacher], [[unit(row) for row in view] for view in views]
    contrast = 0.0
    for view in units:
        for b, row in enumerate(view):
            cosines = [dot(row, anchor) for anchor in anchors]
            cosines[b] = 1.0 if cosines[b] >= 1 - margin else cosines[b]
            total = sum(math.exp(cosine / 0.07) for cosine in cosines)
            contrast -= math.log(math.exp(cosines[b] / 0.07) / total) / (count * rows)
    diversity = 0.0
    for b in range(rows):
        if min(dot(units[i][b], anchors[b]) for i in range(count)) > 1 - margin:
            for i in range(count):
                for j in range(count):
                    diversity += softplus(dot(units[i][b], units[j][b])) * (i != j)
    return contrast / count + diversity / (count * (count - 1) * rows)


def literal_intra(teacher: list, views: list) -> float:
    count, rows, total = len(views), len(teacher), 0.0
    steps = [
        [unit([a - b for a, b in zip(row, view[b_], strict=True)]) for b_, row in enumerate(teacher)]
        for view in views
    ]
    for i in range(count):
        for j in range(count):
            if i != j:
                total += softplus(sum(dot(steps[i][b], steps[j][b]) for b in range(rows)) / rows)
    return total / (count * (count - 1))


def test_the_losses_are_those_of_the_loops() -> None:
    torch.manual_seed(0)
    teacher = torch.rand(7, 4, dtype=torch.float64)
    views = teacher + torch.randn(3, 7, 4, dtype=torch.float64) * torch.tensor([0.05, 0.1, 0.3]).view(3, 1, 1)
    for margin in (0.0, 0.02, 0.2, 1.0):
        expected = literal_inter(teacher.tolist(), views.tolist(), margin)
        assert inter_angle(teacher, views, margin).item() == pytest.approx(expected, rel=1e-10)
    assert intra_angle(teacher, views).item() == pytest.approx(
        literal_intra(teacher.tolist(), views.tolist()), rel=1e-10
    )


def test_one_view_has_no_other_to_leave() -> None:
    torch.manual_seed(0)
    teacher, view = torch.rand(5, 3), torch.rand(1, 5, 3)
    assert intra_angle(teacher, view) == 0
    assert inter_angle(teacher, view, 1.0).isfinite()


def test_the_loss_is_the_weighted_sum_and_reads_known_labels_alone() -> None:
    transform = AngularViews(views=2, temperature=4.0)
    heads = Heads(6, 3, torch.zeros(2)).train()
    features, logits = TEACHER.hops[-2][:9], TEACHER.logits[:9]
    hidden, answers = heads(features)
    soft, views = torch.softmax(logits / 4, 1), torch.softmax(answers / 4, 2)
    angles = 0.1 * inter_angle(features, hidden, 0.2) + intra_angle(features, hidden)
    angles = angles + inter_angle(soft, views, 0.2) + intra_angle(soft, views)
    labels = torch.tensor([0, -1, 2, -1, -1, -1, -1, -1, -1])
    label = sum(nn.functional.cross_entropy(view[[0, 2]], labels[[0, 2]]) for view in answers)
    torch.testing.assert_close(transform.loss(heads, features, logits, labels), angles + 0.8 * label)
    torch.testing.assert_close(transform.loss(heads, features, logits, labels.fill_(-1)), angles)


def test_a_head_is_dropout_linear_batch_norm_and_classifier() -> None:
    torch.manual_seed(1)
    heads = Heads(6, 3, torch.tensor([0.0, 0.5, 0.9]))
    features = torch.randn(200, 6)
    hidden, answers = heads.train()(features)
    linear, norm = nn.Linear(6, 6), nn.BatchNorm1d(6)
    with torch.no_grad():
        linear.weight.copy_(heads.weight[0])
        linear.bias.zero_()
        norm.weight.copy_(heads.norm.weight[:6])
        norm.bias.copy_(heads.norm.bias[:6])
    torch.testing.assert_close(hidden[0], norm(linear(features)))
    torch.testing.assert_close(answers[0], hidden[0] @ heads.classifier[0].t())
    torch.manual_seed(5)
    kept = torch.rand(3, 200, 6) < heads.keep
    assert kept.double().mean(dim=(1, 2)).tolist() == pytest.approx([1.0, 0.5, 0.1], abs=0.05)


@pytest.mark.parametrize(("count", "orthogonal"), [(3, True), (6, True), (8, False)])
def test_rows_of_one_unit_are_orthonormal_across_heads(count: int, orthogonal: bool) -> None:
    weight = Heads(6, 3, torch.zeros(count)).weight.detach()
    grams = torch.einsum("nui,mui->unm", weight, weight)
    torch.testing.assert_close(grams.diagonal(dim1=1, dim2=2), torch.ones(6, count))
    assert torch.allclose(grams, torch.eye(count).expand(6, -1, -1), atol=1e-5) == orthogonal


def test_the_ensemble_is_the_weighted_mean_of_distributions_and_features() -> None:
    transform, tau = AngularViews(views=3, weight=0.5, epochs=2), 1.7
    state = fitted(transform)
    found = transform(GRAPH, TEACHER, tau, state)
    heads = Heads(6, 3, torch.zeros(3))
    heads.load_state_dict(state.tensors)
    hidden, answers = heads.eval()(TEACHER.hops[-2])
    weights = [1 / 2.5, 0.5 / 2.5, 0.5 / 2.5, 0.5 / 2.5]
    tables = [(TEACHER.hops[-2], TEACHER.logits), *zip(hidden, answers, strict=True)]
    soft: Tensor = sum(w * torch.softmax(z / tau, 1) for w, (_, z) in zip(weights, tables, strict=True))  # type: ignore[assignment]
    mixed: Tensor = sum(w * table for w, (table, _) in zip(weights, tables, strict=True))  # type: ignore[assignment]
    torch.testing.assert_close(torch.softmax(found.logits / tau, 1), soft)
    torch.testing.assert_close(found.hops[-2], mixed)
    assert found.hops[-1] is found.logits
    assert len(found.hops) == len(TEACHER.hops)


def test_views_of_weight_zero_are_the_teacher() -> None:
    transform = AngularViews(weight=0.0, epochs=1)
    found = transform(GRAPH, TEACHER, 2.0, fitted(transform))
    torch.testing.assert_close(torch.softmax(found.logits / 2, 1), torch.softmax(TEACHER.logits / 2, 1))
    assert torch.equal(found.hops[-2], TEACHER.hops[-2])


def test_blocks_of_rows_make_the_same_ensemble() -> None:
    state = fitted(AngularViews(epochs=1))
    one, two = (AngularViews(batch_size=size)(GRAPH, TEACHER, 1.0, state).logits for size in (4, 1000))
    torch.testing.assert_close(one, two)


def test_heads_are_drawn_by_the_seed_and_read_labels_of_training_nodes_alone() -> None:
    transform = AngularViews(epochs=2, batch_size=8)
    y = (GRAPH.y + 1) % 3
    y[GRAPH.train] = GRAPH.y[GRAPH.train]
    states = []
    for graph, seed in ((GRAPH, 0), (replace(GRAPH, y=y), 0), (GRAPH, 1)):
        torch.manual_seed(seed)
        states.append(transform.fit(graph, TEACHER))
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not torch.equal(states[0]["weight"], states[2]["weight"])


def test_a_teacher_without_a_hidden_layer_is_refused() -> None:
    for teacher in (TeacherOutput(TEACHER.logits), TeacherOutput(TEACHER.logits, [TEACHER.logits])):
        with pytest.raises(GraphKDError, match="transform=angular_views reads the teacher's last hidden layer"):
            AngularViews().check(teacher)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"views": 0}, "transform.views is 0: it must be a whole number, 1 or more"),
        ({"batch_size": 3}, "transform.batch_size is 3: it must be a whole number, 4 or more"),
        ({"weight": -1}, "transform.weight is -1: it must lie in"),
        ({"temperature": 0}, "transform.temperature is 0: it must be a number above 0"),
        ({"lr": 0}, "transform.lr is 0: it must be a number above 0"),
        ({"least_dropout": 0.4}, "transform.most_dropout is 0.35: it must be at least transform.least_dropout"),
        ({"most_dropout": 1}, "transform.most_dropout is 1: it must be"),
    ],
)
def test_mistakes(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        AngularViews(**keys)
