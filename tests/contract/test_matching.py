"""What every exported strategy promises; a new one is covered by being exported."""

import functools

import pytest
import torch
from torch import Tensor

import graphkd
from graphkd import GraphKDError, Training, matching, students, teachers
from graphkd.matching import Matching, MatchingTerm, SoftMatching
from graphkd.matching.distances import DISTANCES
from graphkd.matching.layers import Layers
from graphkd.registry import catalogue
from graphkd.sparse import Adjacency
from graphkd.spec import resolve, settings_of
from tests.conftest import make_data
from tests.memory import peak_growth
from tests.networks import teacher_like

STRATEGIES = catalogue(matching)
MATCHED = {name: strategy for name, strategy in STRATEGIES.items() if name != "none"}
STUDENT, TEACHER = 6, 8
DEPTHS = [(num_student, num_teacher) for num_student in range(1, 5) for num_teacher in range(1, 7)]
FEW = [(1, 1), (4, 2), (2, 5)]


@pytest.fixture(scope="session")
def teacher_result():
    """A teacher by name and number of hidden hops, with those hops of 20 nodes; each is made once."""
    data = make_data(num_nodes=20)

    @functools.cache
    def make(name: str, num_teacher: int) -> tuple[torch.nn.Module, list[Tensor]]:
        torch.manual_seed(num_teacher)
        part = catalogue(teachers)[name]  # SGC's hidden hops are as wide as its classes
        network = teacher_like(part, 8, TEACHER, TEACHER, num_layers=num_teacher + 1)
        return network, network.eval()(data.x, Adjacency(data.edge_index, 20)).detach().hops[:-1]

    return make


@functools.cache
def student_of(num_student: int, width: int) -> torch.nn.Module:
    torch.manual_seed(num_student)
    return students.MLP(8, width, 3, num_layers=num_student + 1, dropout=0.0)


def hidden_of(num_student: int, width: int = STUDENT) -> list[Tensor]:
    """Of the same 20 nodes; a student's gradients start empty."""
    student = student_of(num_student, width)
    student.zero_grad()
    return student(make_data(num_nodes=20).x).hidden


def term_of(strategy: type[Matching], num_student: int, num_teacher: int, width: int, **settings) -> MatchingTerm:
    torch.manual_seed(0)
    return MatchingTerm.of(strategy(**settings), [width] * num_student, [TEACHER] * num_teacher)


@pytest.mark.parametrize("strategy", STRATEGIES.values())
def test_pairs_are_layers_that_exist_and_the_same_for_the_same_seed(strategy: type[Matching]) -> None:
    one, two = strategy(seed=1), strategy(seed=1)
    for epoch in range(2):
        one.on_epoch_start(epoch)
        two.on_epoch_start(epoch)
        for num_student, num_teacher in DEPTHS:
            pairs = one.pairs(num_student, num_teacher)
            assert pairs == two.pairs(num_student, num_teacher) == list(dict.fromkeys(pairs))
            assert all(0 <= i < num_student and 0 <= j < num_teacher for i, j in pairs)
            assert {i for i, _ in pairs} == (set(range(num_student)) if strategy.name != "none" else set())
            soft = issubclass(strategy, SoftMatching)
            assert soft or set(pairs) <= set(one.projected(num_student, num_teacher))


@pytest.mark.parametrize("strategy", MATCHED.values())
@pytest.mark.parametrize(
    "teacher",
    [
        pytest.param(name, marks=[pytest.mark.slow] * (name not in ("gcn", "gat", "sage", "vqgraph")))
        for name in catalogue(teachers)
    ],
)
def test_a_finite_loss_moves_student_and_term_and_nothing_else(
    strategy: type[Matching], teacher: str, teacher_result
) -> None:
    for num_student, num_teacher in DEPTHS:
        network, hops = teacher_result(teacher, num_teacher)
        term = term_of(strategy, num_student, num_teacher, STUDENT)
        loss = term.loss(hidden_of(num_student), hops)
        loss.backward()
        assert loss.dim() == 0
        assert loss.isfinite()
        layers = student_of(num_student, STUDENT).layers
        assert layers[0].weight.grad.abs().sum() > 0
        assert layers[-1].weight.grad is None
        assert not any(hop.requires_grad for hop in hops)
        assert all(parameter.grad is None for parameter in network.parameters())
        maps = term.projections.maps
        reached = {key for key, linear in maps.items() if linear.weight.grad is not None}
        hard = not isinstance(term.matching, SoftMatching)
        pairs = {f"{i}_{j}" for i, j in term.matching.pairs(num_student, num_teacher)}
        assert reached == pairs if hard else reached <= set(maps)
        assert any(maps[key].weight.grad.abs().sum() > 0 for key in reached)
        moved = sum(weight.grad.abs().sum() for weight in term.matching.parameters())
        assert moved > 0 or num_teacher == 1 or not list(term.matching.parameters())


@pytest.mark.parametrize("strategy", MATCHED.values())
def test_layers_of_one_width_need_no_projection(strategy: type[Matching], teacher_result) -> None:
    for num_student, num_teacher in FEW:
        term = term_of(strategy, num_student, num_teacher, TEACHER, projection="none")
        loss = term.loss(hidden_of(num_student, TEACHER), teacher_result("sage", num_teacher)[1])
        loss.backward()
        assert loss.isfinite()
        assert not list(term.projections.parameters())
        assert student_of(num_student, TEACHER).layers[0].weight.grad.abs().sum() > 0


@pytest.mark.parametrize("strategy", MATCHED.values())
def test_the_same_seed_gives_the_same_loss_in_every_epoch(strategy: type[Matching], teacher_result) -> None:
    for num_student, num_teacher in FEW:
        terms = [term_of(strategy, num_student, num_teacher, STUDENT, seed=3) for _ in range(2)]
        for epoch in range(3):
            for term in terms:
                term.matching.on_epoch_start(epoch)
            one, two = (term.loss(hidden_of(num_student), teacher_result("gcn", num_teacher)[1]) for term in terms)
            assert torch.equal(one, two)


@pytest.mark.parametrize("strategy", MATCHED.values())
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("projection", ["auto", "shared", "random"])
def test_distances_and_projections(
    strategy: type[Matching], distance: str, projection: str, teacher_result
) -> None:
    settings = {"distance": distance, "projection": projection}
    if strategy.by_node and not DISTANCES[distance].by_node:
        with pytest.raises(GraphKDError, match=f"distance={distance} does not tell apart: choose one of"):
            strategy(**settings)
        return
    term = term_of(strategy, 2, 3, STUDENT, **settings)
    loss = term.loss(hidden_of(2), teacher_result("sage", 3)[1])
    loss.backward()
    assert loss.isfinite()
    assert student_of(2, STUDENT).layers[0].weight.grad.isfinite().all()
    frozen = projection == "random"
    maps = term.projections.maps.values()
    assert all(parameter.requires_grad != frozen for map_ in maps for parameter in map_.parameters())


SOFT = [strategy for strategy in MATCHED.values() if issubclass(strategy, SoftMatching)]


@pytest.mark.parametrize("strategy", SOFT)
def test_soft_weights_are_shares_and_asking_for_them_changes_nothing(
    strategy: type[SoftMatching], teacher_result
) -> None:
    for num_student, num_teacher in DEPTHS:
        term = term_of(strategy, num_student, num_teacher, TEACHER)
        hidden, hops = hidden_of(num_student, TEACHER), teacher_result("gat", num_teacher)[1]
        before = {key: value.clone() for key, value in term.state_dict().items()}
        weights = term.matching.weights(hidden, hops)
        assert torch.equal(weights, term.matching.weights(hidden, hops))
        assert all(torch.equal(value, before[key]) for key, value in term.state_dict().items())
        assert weights.min() >= 0
        if weights.dim() == 3:
            assert weights.shape == (20, num_student, num_teacher)
            torch.testing.assert_close(weights.sum(dim=2), torch.ones(20, num_student))
        else:
            assert weights.shape == (num_student, num_teacher)
            torch.testing.assert_close(weights.sum(), torch.tensor(1.0))
        projected = Layers(hidden, hops, term.distance, term.projections)
        assert torch.equal(term.matching.weigh(projected), weights)


@pytest.mark.parametrize("name", STRATEGIES)
def test_settings_go_through_a_config_and_a_copy(name: str) -> None:
    strategy = STRATEGIES[name](weight=0.5, seed=3, lr=0.1)
    assert settings_of(strategy) == {**settings_of(STRATEGIES[name]), "weight": 0.5, "seed": 3, "lr": 0.1}
    config = resolve(matching=strategy).config()["matching"]
    assert config.pop("_target_") == f"graphkd.matching.{STRATEGIES[name].__name__}"
    assert settings_of(STRATEGIES[name](**config)) == settings_of(strategy)
    other = strategy.with_seed(7)
    assert (other.seed, strategy.seed) == (7, 3)
    other.build([4], [4])
    assert dict(strategy.state_dict()) == {}


@pytest.mark.parametrize("name", MATCHED)
def test_a_run_of_three_epochs_is_the_same_twice(name: str) -> None:
    def run():
        return graphkd.distill(
            make_data(),
            teacher=functools.partial(teachers.GCN, num_layers=4, hidden_dim=8),
            student=functools.partial(students.MLP, num_layers=3, hidden_dim=6),
            matching=name,
            training=Training(max_epochs=3, patience=3),
            seed=1,
        )

    one, two = run(), run()
    states = [each.student.state_dict() for each in (one, two)]
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert one.metrics["mean"] == two.metrics["mean"]


@pytest.mark.parametrize("strategy", MATCHED.values())
def test_every_seed_of_a_run_can_be_drawn_from(strategy: type[Matching], teacher_result) -> None:
    spec = resolve(matching=strategy(seed=2**31 - 1))
    hops = teacher_result("gcn", 5)[1]
    (term,) = spec.terms(seed=2**32 - 1)
    assert isinstance(term, MatchingTerm)
    term = MatchingTerm.of(term.matching, [STUDENT, STUDENT], [TEACHER] * len(hops))
    term.matching.on_epoch_start(400)
    assert term.loss(hidden_of(2), hops).isfinite()


NODES, WIDTH = 25_000, 32


@pytest.mark.slow
def test_peak_memory_grows_with_layers_not_with_pairs_of_nodes() -> None:
    """Of all strategies in turn: five tables of a layer's size for each of 3 · 5 pairs, and twelve besides."""
    setup = (
        "import ot, torch\n"
        "from graphkd import matching\n"
        "from graphkd.registry import lookup\n"
        "torch.set_num_threads(1)\n"
        f"hops = [torch.randn({NODES}, {WIDTH}) for _ in range(5)]\n"
        f"hidden = [torch.randn({NODES}, {WIDTH // 2}, requires_grad=True) for _ in range(3)]\n"
    )
    code = (
        f"for name in {list(MATCHED)}:\n"
        f"    term = matching.MatchingTerm.of(lookup(matching, name)(), [{WIDTH // 2}] * 3, [{WIDTH}] * 5)\n"
        "    term.loss(hidden, hops).backward()\n"
    )
    bound = (5 * 15 + 12) * 4 * NODES * WIDTH
    assert bound < 4 * NODES**2 / 8
    assert peak_growth(setup, code) < bound
