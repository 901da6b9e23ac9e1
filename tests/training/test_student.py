import functools
from dataclasses import replace

import pytest
import torch

from graphkd import Training, matching, students
from graphkd.datasets import Graph, Scene
from graphkd.methods import GLNN, MLP, InfGraND, Targets
from graphkd.recipe import resolve
from graphkd.students import StudentOutput
from graphkd.teachers import GCN
from graphkd.training.student import start_task, train_baselines, train_student
from graphkd.training.teach import teach
from tests.conftest import make_data

SHORT = Training(max_epochs=30, patience=30)


@pytest.fixture
def scene() -> Scene:
    return Scene.of(Graph.from_data(make_data()))


def test_teacher_and_student_learn_and_the_same_seed_gives_the_same_bits(scene: Scene) -> None:
    recipe = resolve(method="infgrand", matching="random", training=SHORT)
    runs = []
    for _ in range(2):
        log = []
        taught = teach(scene, recipe, 3, log)
        student = train_student(scene, recipe, taught, 3, log)
        runs.append((taught.scores, student.scores, log, student.model.state_dict()))
        torch.rand(7)
    assert runs[0][:3] == runs[1][:3]
    assert all(torch.equal(runs[0][3][name], runs[1][3][name]) for name in runs[0][3])
    assert runs[0][0]["test"] > 0.6
    assert runs[0][1]["test"] > 0.6
    assert {row["stage"] for row in runs[0][2]} == {"teacher", "student"}


@pytest.mark.parametrize("strategy", [matching.Random(), matching.Random(redraw=True), matching.InOrderRandom()])
def test_seeds_draw_other_matchings(strategy: matching.Matching, scene: Scene) -> None:
    """As many layers as five make it unlikely that ten seeds draw the same."""
    deep = functools.partial(students.MLP, num_layers=6, hidden_dim=4)
    recipe = resolve(functools.partial(GCN, num_layers=9, hidden_dim=4), deep, "glnn", strategy)
    hops = [torch.zeros(60, 4) for _ in range(8)]
    targets = Targets(scene.observed.x, scene.observed.y, torch.zeros(60), hops=hops)
    terms = [start_task(scene.observed, recipe, targets, seed).matching for seed in range(10)]
    assert [term.matching.seed for term in terms] == list(range(10))
    assert len({str(term.matching.pairs(5, 8)) for term in terms}) > 5
    again = start_task(scene.observed, recipe, targets, 3).matching
    assert again.matching.pairs(5, 8) == terms[3].matching.pairs(5, 8)


class Learned(GLNN):
    """A method with a parameter of its own, which every step moves."""

    name = "learned"

    def __init__(self) -> None:
        super().__init__()
        self.shift = torch.nn.Parameter(torch.zeros(3))

    def forward(self, output: StudentOutput, batch: Targets) -> dict[str, torch.Tensor]:
        return super().forward(StudentOutput(output.logits + self.shift, output.hidden), batch)


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 0), (1, 1)])
def test_no_seed_starts_from_the_parameters_of_another(order: tuple[int, int], scene: Scene) -> None:
    """Nor from those that it ended with itself."""
    method = Learned()
    recipe = resolve(method=method, training=SHORT)
    taught = teach(scene, recipe, 0, [])
    for seed in order:
        task = train_student(scene, recipe, taught, seed, []).task
        assert bool((task.method.shift != 0).any())
        assert not bool(method.shift.any())
        alone = train_student(scene, resolve(method=Learned(), training=SHORT), taught, seed, []).task
        states = task.state_dict(), alone.state_dict()
        assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


RATES = {"lr": 0.05, "weight_decay": 0.1, "teacher_lr": 0.05, "teacher_weight_decay": 0.1}


@pytest.mark.parametrize("field", RATES)
def test_teacher_and_student_train_at_their_own_rates_and_decays(field: str, scene: Scene) -> None:
    """Each of the four changes one of the two networks; the student's teacher stays the same here."""
    whole = Training(max_epochs=8, patience=2, lr=0.01, teacher_lr=0.02)
    recipes = [resolve(training=training) for training in (whole, replace(whole, **{field: RATES[field]}))]
    taught = [teach(scene, recipe, 0, []) for recipe in recipes]
    students = [train_student(scene, recipe, taught[0], 0, []) for recipe in recipes]
    for results, changes in ((taught, field.startswith("teacher_")), (students, not field.startswith("teacher_"))):
        states = [result.model.state_dict() for result in results]
        assert all(torch.equal(*(state[name] for state in states)) for name in states[0]) != changes


def test_another_seed_gives_another_student(scene: Scene) -> None:
    recipe = resolve(training=SHORT)
    taught = teach(scene, recipe, 0, [])
    one, two = (train_student(scene, recipe, taught, seed, []).model.state_dict() for seed in (0, 1))
    assert not torch.equal(one["layers.0.weight"], two["layers.0.weight"])


def test_the_baselines_are_the_plain_student_of_the_same_shape_on_raw_rows_and_on_its_inputs(scene: Scene) -> None:
    recipe = resolve(method=InfGraND("reference", hops=3, pooling="concat"), matching="forward", training=SHORT)
    taught, log = teach(scene, recipe, 0, []), []
    plain = train_baselines(scene, recipe, taught, 0, log)
    student = train_student(scene, recipe, taught, 0, [])
    assert list(plain) == ["mlp", "mlp_same_inputs"]
    assert plain["mlp"].propagation.hops == 0
    assert plain["mlp_same_inputs"].propagation == student.propagation
    assert list(dict.fromkeys(row["stage"] for row in log)) == ["mlp", "mlp_same_inputs"]
    assert [each.arguments["num_features"] for each in plain.values()] == [8, 32]
    same = {**student.arguments, "num_features": 8}
    assert [{**each.arguments, "num_features": 8} for each in plain.values()] == [same, same]


@pytest.mark.parametrize("setting", ["production", "inductive"])
def test_a_plain_mlp_of_propagated_rows_is_what_the_formula_says(scene: Scene, setting: str) -> None:
    """Rows of hidden nodes are propagated over the full graph for their scores, and never in training."""
    hidden = Scene.of(scene.full, setting, 0)
    recipe = resolve(method=MLP(hops=2), training=SHORT)
    taught = teach(hidden, recipe, 0, [])
    student = train_student(hidden, recipe, taught, 0, [])
    x, adj = hidden.full.x, hidden.full.adj
    operator = adj.normalize("symmetric", 1, torch.float64).to_dense()
    rows = (x.double() + operator @ x.double() + operator @ operator @ x.double()) / 3
    with torch.no_grad():
        logits = student.model.double()(rows[hidden.hidden]).logits
    hits = (logits.argmax(dim=1) == hidden.full.y[hidden.hidden]).double().mean()
    assert student.scores["test_ind"] == pytest.approx(float(hits))


def test_the_labels_of_test_nodes_do_not_reach_training(scene: Scene) -> None:
    """Scrambling them changes the test score and nothing else."""
    recipe, graph = resolve(method="infgrand", training=SHORT), scene.full
    scrambled = Graph(**{**vars(graph), "y": graph.y.clone()})
    scrambled.y[graph.test] = (graph.y[graph.test] + 1) % 3
    states = []
    for each in (scene, Scene.of(scrambled)):
        taught = teach(each, recipe, 0, [])
        states.append(train_student(each, recipe, taught, 0, []).model.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
