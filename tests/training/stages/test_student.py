import functools
from dataclasses import replace

import pytest
import torch

from graphkd import Training, matching, students
from graphkd.datasets import Graph, SettingView
from graphkd.datasets.setting import apply_setting
from graphkd.encoders import Propagated
from graphkd.methods import GLNN, MLP, InfGraND, Targets
from graphkd.spec import resolve
from graphkd.students import StudentOutput
from graphkd.teachers import GCN, TeacherOutput
from graphkd.training.stages.student import start_task, student_key, train_baselines, train_student
from graphkd.training.stages.teacher import train_teacher
from tests.conftest import make_data

SHORT = Training(max_epochs=30, patience=30)


@pytest.fixture
def view() -> SettingView:
    return apply_setting(Graph.from_data(make_data()))


def test_teacher_and_student_learn_and_the_same_seed_gives_the_same_bits(view: SettingView) -> None:
    spec = resolve(method="infgrand", matching="random", training=SHORT)
    runs = []
    for _ in range(2):
        log = []
        teacher_result = train_teacher(view, spec, 3, log)
        student = train_student(view, spec, teacher_result, 3, log)
        runs.append((teacher_result.scores, student.scores, log, student.model.state_dict()))
        torch.rand(7)
    assert runs[0][:3] == runs[1][:3]
    assert all(torch.equal(runs[0][3][name], runs[1][3][name]) for name in runs[0][3])
    assert runs[0][0]["test"] > 0.6
    assert runs[0][1]["test"] > 0.6
    assert {row["stage"] for row in runs[0][2]} == {"teacher", "student"}


@pytest.mark.parametrize("strategy", [matching.Random(), matching.Random(redraw=True), matching.InOrderRandom()])
def test_seeds_draw_other_matchings(strategy: matching.Matching, view: SettingView) -> None:
    """As many layers as five make it unlikely that ten seeds draw the same."""
    deep = functools.partial(students.MLP, num_layers=6, hidden_dim=4)
    spec = resolve(functools.partial(GCN, num_layers=9, hidden_dim=4), deep, "glnn", strategy)
    hops = [torch.zeros(60, 4) for _ in range(8)]
    output = TeacherOutput(torch.zeros(60, 3), [*hops, torch.zeros(60, 3)])
    targets = Targets(view.observed.x, view.observed.y, torch.zeros(60), hops=hops)
    terms = [start_task(view.observed, spec, targets, seed, output).terms[0] for seed in range(10)]
    assert [term.matching.seed for term in terms] == list(range(10))
    assert len({str(term.matching.pairs(5, 8)) for term in terms}) > 5
    again = start_task(view.observed, spec, targets, 3, output).terms[0]
    assert again.matching.pairs(5, 8) == terms[3].matching.pairs(5, 8)


class Learned(GLNN):
    """A method with a parameter of its own, which every step moves."""

    name = "learned"

    def __init__(self) -> None:
        super().__init__()
        self.shift = torch.nn.Parameter(torch.zeros(3))

    def loss(self, output: StudentOutput, batch: Targets) -> dict[str, torch.Tensor]:
        return super().loss(StudentOutput(output.logits + self.shift, output.hidden), batch)


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 0), (1, 1)])
def test_no_seed_starts_from_the_parameters_of_another(order: tuple[int, int], view: SettingView) -> None:
    """Nor from those that it ended with itself."""
    method = Learned()
    spec = resolve(method=method, training=SHORT)
    teacher_result = train_teacher(view, spec, 0, [])
    for seed in order:
        task = train_student(view, spec, teacher_result, seed, []).task
        assert bool((task.method.shift != 0).any())
        assert not bool(method.shift.any())
        alone = train_student(view, resolve(method=Learned(), training=SHORT), teacher_result, seed, []).task
        states = task.state_dict(), alone.state_dict()
        assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


RATES = {"lr": 0.05, "weight_decay": 0.1, "teacher_lr": 0.05, "teacher_weight_decay": 0.1}


@pytest.mark.parametrize("field", RATES)
def test_teacher_and_student_train_at_their_own_rates_and_decays(field: str, view: SettingView) -> None:
    """Each of the four changes one of the two networks; the student's teacher stays the same here."""
    whole = Training(max_epochs=8, patience=2, lr=0.01, teacher_lr=0.02)
    specs = [resolve(training=training) for training in (whole, replace(whole, **{field: RATES[field]}))]
    teacher_result = [train_teacher(view, spec, 0, []) for spec in specs]
    students = [train_student(view, spec, teacher_result[0], 0, []) for spec in specs]
    for results, changes in (
        (teacher_result, field.startswith("teacher_")),
        (students, not field.startswith("teacher_")),
    ):
        states = [result.model.state_dict() for result in results]
        assert all(torch.equal(*(state[name] for state in states)) for name in states[0]) != changes


def test_another_seed_gives_another_student(view: SettingView) -> None:
    spec = resolve(training=SHORT)
    teacher_result = train_teacher(view, spec, 0, [])
    one, two = (train_student(view, spec, teacher_result, seed, []).model.state_dict() for seed in (0, 1))
    assert not torch.equal(one["layers.0.weight"], two["layers.0.weight"])


def test_the_baselines_are_the_plain_student_of_the_same_shape_on_raw_rows_and_on_its_inputs(
    view: SettingView,
) -> None:
    spec = resolve(method=InfGraND("reference", hops=3, pooling="concat"), matching="forward", training=SHORT)
    teacher_result, log = train_teacher(view, spec, 0, []), []
    plain = train_baselines(view, spec, teacher_result, 0, log)
    student = train_student(view, spec, teacher_result, 0, [])
    assert list(plain) == ["mlp", "mlp_same_inputs"]
    assert plain["mlp"].encoding.is_raw
    assert plain["mlp_same_inputs"].encoding == student.encoding
    assert list(dict.fromkeys(row["stage"] for row in log)) == ["mlp", "mlp_same_inputs"]
    assert [each.arguments["num_features"] for each in plain.values()] == [8, 32]
    same = {**student.arguments, "num_features": 8}
    assert [{**each.arguments, "num_features": 8} for each in plain.values()] == [same, same]


@pytest.mark.parametrize("setting", ["production", "inductive"])
def test_a_plain_mlp_of_propagated_rows_is_what_the_formula_says(view: SettingView, setting: str) -> None:
    """Rows of hidden nodes are propagated over the full graph for their scores, and never in training."""
    hidden = apply_setting(view.full, setting, 0)
    spec = resolve(method=MLP(), encoder=Propagated(hops=2), training=SHORT)
    teacher_result = train_teacher(hidden, spec, 0, [])
    student = train_student(hidden, spec, teacher_result, 0, [])
    x, adj = hidden.full.x, hidden.full.adj
    operator = adj.normalize("symmetric", 1, torch.float64).to_dense()
    rows = (x.double() + operator @ x.double() + operator @ operator @ x.double()) / 3
    with torch.no_grad():
        logits = student.model.double()(rows[hidden.hidden]).logits
    hits = (logits.argmax(dim=1) == hidden.full.y[hidden.hidden]).double().mean()
    assert student.scores["test_ind"] == pytest.approx(float(hits))


def test_the_labels_of_test_nodes_do_not_reach_training(view: SettingView) -> None:
    """Scrambling them changes the test score and nothing else."""
    spec, graph = resolve(method="infgrand", training=SHORT), view.full
    scrambled = Graph(**{**vars(graph), "y": graph.y.clone()})
    scrambled.y[graph.test] = (graph.y[graph.test] + 1) % 3
    states = []
    for each in (view, apply_setting(scrambled)):
        teacher_result = train_teacher(each, spec, 0, [])
        states.append(train_student(each, spec, teacher_result, 0, []).model.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize("metric", ["macro_f1", "balanced_accuracy"])
def test_teacher_and_student_keep_the_epoch_that_is_best_on_the_chosen_metric(metric: str) -> None:
    data = make_data()
    data.y[::2] = 0  # classes of 40, 10 and 10 nodes, which metrics weigh in other ways
    view, log = apply_setting(Graph.from_data(data)), []
    spec = resolve(training=replace(SHORT, metric=metric, patience=100))
    teacher_result = train_teacher(view, spec, 0, log)
    student = train_student(view, spec, teacher_result, 0, log)
    for stage, scores, fit in (
        ("teacher", teacher_result.scores, teacher_result.fit),
        ("student", student.scores, student.fit),
    ):
        values = [row["val"] for row in log if row["stage"] == stage]
        assert values[fit.best_epoch] == pytest.approx(scores[f"val_{metric}"], abs=1e-12)
        assert set(values) != {scores["val"]}


def test_the_data_s_own_metric_by_name_is_the_default(view: SettingView) -> None:
    plain, named = (resolve(training=replace(SHORT, metric=metric)) for metric in (None, "accuracy"))
    keys = [student_key(view, spec, train_teacher(view, spec, 0, []), 0, "float32") for spec in (plain, named)]
    assert keys[0] == keys[1]
