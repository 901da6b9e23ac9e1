"""Terms against their formulas, in float64, and what training, caches and files know of them."""

import functools
import json
import math
from pathlib import Path

import pytest
import torch

import graphkd
from graphkd import GraphKDError
from graphkd.methods import GLNN, MLP, Epoch, SimMLP, Targets
from graphkd.runs import SeedRun, check_shared
from graphkd.spec import resolve
from graphkd.students import StudentOutput
from graphkd.terms import ConfidencePenalty, EntropyMinimization, NoTerm, Term
from graphkd.testing.graphs import small_graph
from graphkd.training.fit.task import DistillationTask
from graphkd.training.settings import Training

CPU = torch.device("cpu")
ROWS = Targets(torch.zeros(5, 2), torch.zeros(5, dtype=torch.long), torch.zeros(5))


def logits(rows: int = 5, classes: int = 4) -> torch.Tensor:
    return torch.randn(rows, classes, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def literal_entropy(z: torch.Tensor) -> float:
    """Its mean over rows, in numbers of Python."""
    total = 0.0
    for row in z.tolist():
        whole = sum(math.exp(entry) for entry in row)
        shares = [math.exp(entry) / whole for entry in row]
        total -= sum(share * math.log(share) for share in shares)
    return total / len(z)


def test_entropy_is_the_mean_over_rows_and_the_penalty_its_negative() -> None:
    output = StudentOutput(logits(), [])
    assert float(EntropyMinimization()(output, ROWS)) == pytest.approx(literal_entropy(output.logits), rel=1e-12)
    assert float(ConfidencePenalty()(output, ROWS)) == pytest.approx(-literal_entropy(output.logits), rel=1e-12)
    assert float(NoTerm()(output, ROWS)) == 0


def test_its_gradient_is_that_of_the_formula_and_finite_for_certain_rows() -> None:
    z = logits().requires_grad_()
    assert torch.autograd.gradcheck(lambda z: EntropyMinimization()(StudentOutput(z, []), ROWS), [z])
    certain = torch.tensor([[1e4, 0.0, -1e4]], requires_grad=True)
    torch.autograd.backward(EntropyMinimization()(StudentOutput(certain, []), ROWS))
    assert certain.grad is not None
    assert bool(certain.grad.isfinite().all())


def trained(term: str | Term, method: str | graphkd.methods.Method = "glnn", **settings: object) -> SeedRun:
    student = functools.partial(graphkd.students.MLP, hidden_dim=8, dropout=0.0)
    spec = resolve(student=student, method=method, term=term, training=Training(**{"max_epochs": 8, **settings}))
    return SeedRun.train(small_graph(), spec, 0)


def entropy_of(run: SeedRun) -> float:
    with torch.no_grad():
        return literal_entropy(run.distilled.model(small_graph().x).logits)


def test_the_student_is_surer_with_entropy_and_less_sure_with_the_penalty() -> None:
    found = [entropy_of(trained(term)) for term in (EntropyMinimization(1.0), "none", ConfidencePenalty(1.0))]
    assert found[0] < found[1] - 0.01
    assert found[1] < found[2] - 0.01


def test_without_a_teacher_a_term_reads_unlabelled_rows_too() -> None:
    record = trained("entropy", MLP(), max_epochs=1).log[-1]
    student = functools.partial(graphkd.students.MLP, hidden_dim=8, dropout=0.0)
    spec = resolve(student=student, method=MLP(), training=Training(max_epochs=1))
    assert "entropy" not in SeedRun.train(small_graph(), spec, 0).log[-1]
    torch.manual_seed(0)
    task = DistillationTask(student(num_features=8, num_classes=3), MLP(), [EntropyMinimization()])
    graph = small_graph()
    assert task.training_rows(MLP().prepare(graph, None)).num_rows == 60
    assert 0 < record["entropy"] <= math.log(3)


def test_predictions_that_a_phase_does_not_train_are_left_out_of_its_loss() -> None:
    log = trained("entropy", SimMLP(pretrain_epochs=3)).log
    stages = {record["stage"]: "entropy" in record for record in log}
    assert stages == {"student-pretrain": False, "student": True}


class Moves(Term):
    """A term with state, a parameter and a draw of its own.

    Source: this test
    """

    name = "moves"

    def __init__(self, weight: float = 1.0, lr: float | None = 0.5) -> None:
        super().__init__(weight, lr)

    def build(self, student_widths: list[int], targets: Targets) -> None:
        self.scale = torch.nn.Parameter(torch.rand(student_widths[-1]))
        self.register_buffer("shift", torch.zeros(()))

    def on_epoch_start(self, epoch: Epoch, targets: Targets) -> None:
        self.shift.add_(torch.rand((), generator=epoch.generator("shift")) + epoch.logits().mean())

    def forward(self, output: StudentOutput, batch: Targets) -> torch.Tensor:
        return ((output.hidden[-1] * self.scale - self.shift) ** 2).mean()


def test_a_term_may_train_draw_and_move_and_ends_with_the_same_bits_when_killed(tmp_path: Path) -> None:
    from graphkd.testing.killed import killed_after

    spec = resolve(
        student=functools.partial(graphkd.students.MLP, hidden_dim=6),
        term=Moves(),
        training=Training(max_epochs=6),
    )

    def run(cache: object = None) -> SeedRun:
        return SeedRun.train(small_graph(), spec, 1, cache=cache)

    whole, again = run(), killed_after(run, tmp_path, 2)
    states = whole.distilled.task.state_dict(), again.distilled.task.state_dict()
    assert {"terms.0.scale", "terms.0.shift"} <= states[0].keys()
    assert float(states[0]["terms.0.shift"]) != 0
    assert all(torch.equal(tensor, states[1][name]) for name, tensor in states[0].items())
    assert not any(True for _ in spec.term.parameters()), "a run leaves the given term as it was"


def test_flags_are_derived_and_only_what_is_declared_is_shared_or_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = Moves()
    assert [own.is_row_sum, own.is_static, own.can_be_shared] == [False, False, False]
    assert EntropyMinimization().is_row_sum
    assert EntropyMinimization().is_static
    student = graphkd.students.MLP(8, 4, 3)
    assert DistillationTask(student, GLNN(), [EntropyMinimization()]).is_static
    assert not DistillationTask(student, GLNN(), [EntropyMinimization(), own]).is_static
    monkeypatch.setattr("graphkd.distributed.World.is_distributed", True)
    check_shared(resolve(term="entropy"))
    with pytest.raises(GraphKDError, match="term=moves is no sum over rows"):
        check_shared(resolve(term=own))


class Label(EntropyMinimization):
    """Of a name that losses have.

    Source: this test
    """

    name = "label"


def test_mistakes_are_one_line() -> None:
    for weight in (-1, "much", float("nan"), 1e13):
        with pytest.raises(GraphKDError, match=r"term.weight is .*: it must lie between 0 and 1e\+12"):
            EntropyMinimization(weight)
    with pytest.raises(GraphKDError, match=r"term=entropy with term.weight=0 would have no effect"):
        resolve(term=EntropyMinimization(0))
    with pytest.raises(GraphKDError, match="unknown term 'entropi': did you mean 'entropy'"):
        resolve(term="entropi")
    with pytest.raises(GraphKDError, match=r"term.lr is 0: it must lie between"):
        Moves(lr=0)
    with pytest.raises(GraphKDError, match="term=label and method=glnn have a loss of the same name"):
        trained(Label())


def test_batched_seeds_are_those_that_train_alone() -> None:
    import tempfile

    from graphkd.datasets.setting import apply_setting
    from graphkd.training.fit.train_state import Log
    from graphkd.training.stages.batched import BatchedJob, train_batched
    from graphkd.training.stages.stage_cache import StageCache
    from graphkd.training.stages.student import train_student
    from graphkd.training.stages.teacher import train_teacher

    for term in ("entropy", Moves()):
        student = functools.partial(graphkd.students.MLP, hidden_dim=6)
        spec = resolve(student=student, term=term, training=Training(max_epochs=5, together=True))
        with tempfile.TemporaryDirectory() as folder:
            cache, view = StageCache(Path(folder)), apply_setting(small_graph(), "transductive", 0)
            teachers = [train_teacher(view, spec, seed, Log(), cache) for seed in range(3)]
            jobs = [BatchedJob(view, spec, teacher, seed) for seed, teacher in enumerate(teachers)]
            expected = [train_student(view, spec, teacher, seed, Log()) for seed, teacher in enumerate(teachers)]
            count = train_batched(jobs, cache)
            assert count == 3
            for seed, (teacher, alone) in enumerate(zip(teachers, expected, strict=True)):
                batched = train_student(view, spec, teacher, seed, Log(), cache)
                for name, tensor in alone.model.state_dict().items():
                    torch.testing.assert_close(batched.model.state_dict()[name], tensor, rtol=1e-4, atol=1e-5)


def test_files_name_a_term_only_where_there_is_one(tmp_path: Path) -> None:
    data = graphkd.load_dataset("digits")
    run = graphkd.distill(data, term="entropy", training=Training(max_epochs=1), baseline=False)
    run.save(tmp_path / "run")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["term"] == "entropy"
    assert "entropy" in (tmp_path / "run" / "log.jsonl").read_text()
    assert "term" not in resolve().names
    key = resolve(term="entropy").config()["term"]
    assert key == {"_target_": "graphkd.terms.EntropyMinimization", "weight": 0.1}
