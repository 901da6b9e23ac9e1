"""The stages on a CUDA device; `make test-gpu`."""

import copy
import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import graphkd
from graphkd import influence, matching
from graphkd.datasets import Graph, SettingView
from graphkd.datasets.setting import apply_setting
from graphkd.dropout import dropout
from graphkd.influence import infgrand
from graphkd.influence.inputs import inputs_of
from graphkd.matching import Matching, MatchingTerm
from graphkd.methods import InfGraND
from graphkd.registry import catalogue
from graphkd.sparse import SparseMatrix
from graphkd.sparse.spmm import available_backends, multiply
from graphkd.spec import DistillSpec, resolve
from graphkd.students import MLP
from graphkd.teachers import GAT, GCN, SAGE, TeacherOutput
from graphkd.training import Training
from graphkd.training.fit import loop
from graphkd.training.stages.batched import BatchedJob, train_batched
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.stages.student import StudentResult, train_student
from graphkd.training.stages.teacher import train_teacher
from tests.conftest import make_data

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


def test_teacher_influence_and_compiled_loss_agree_with_the_cpu() -> None:
    torch.manual_seed(0)
    graph, network, logits = Graph.from_data(make_data()), GCN(8, 6, 3).eval(), torch.randn(60, 3)
    results = []
    for device in ("cpu", "cuda"):
        here = graph.to(device)
        hop = network.to(device)(here.x, here.adj).logits.detach()
        weighted = here.with_influence(infgrand(here.x, here.adj))
        targets = InfGraND().prepare(weighted, TeacherOutput(hop))
        z = logits.clone().to(device).requires_grad_()
        loss = targets.soft.loss(z)
        loss.backward()
        results.append([hop, weighted.influence, targets.inputs, loss.detach(), z.grad])
    for on_cpu, on_gpu in zip(*results, strict=True):
        torch.testing.assert_close(on_gpu.cpu(), on_cpu, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("part", catalogue(influence).values())
def test_influence_agrees_with_the_cpu(part: Callable[..., torch.Tensor]) -> None:
    graph, logits, found = Graph.from_data(make_data()), torch.randn(60, 3), []
    for device in ("cpu", "cuda"):
        here, said = graph.to(device), logits.to(device)
        every = {"labels": here.y, "logits": said, "perturbed": lambda noise, said=said: said + noise[:, :3]}
        inputs = {name: every[name] for name in inputs_of(part)}
        found.append(part(here.x, here.adj, **inputs))
        assert found[-1].device.type == device
    torch.testing.assert_close(found[1].cpu(), found[0], atol=1e-5, rtol=0)


def test_a_run_from_data_to_bundle(tmp_path) -> None:
    data = graphkd.load_dataset("digits")
    run = graphkd.distill(data, method="infgrand", matching="forward", device="cuda")
    assert run.metrics["mean"]["student_test"] > 0.9
    run.save(tmp_path / "run")
    model = graphkd.load_bundle(tmp_path / "run")
    right = model.predict_proba(data.x, data.edge_index).argmax(axis=1) == data.y.numpy()
    assert abs(right[data.test_mask.numpy()].mean() - run.metrics["mean"]["student_test"]) < 0.005


def needs(strategy: type[Matching]) -> None:
    if strategy.name == "emd":
        pytest.importorskip("ot")


@pytest.mark.parametrize("strategy", catalogue(matching).values())
@pytest.mark.parametrize("projection", ["auto", "orthogonal"])
def test_matching_agrees_with_the_cpu(strategy: type[Matching], projection: str) -> None:
    needs(strategy)
    spec = resolve(matching=strategy(projection=projection))
    hidden, hops = [torch.randn(40, 6) for _ in range(2)], [torch.randn(40, 8) for _ in range(3)]
    torch.manual_seed(0)
    for each in spec.terms():
        term, losses = MatchingTerm.of(each.matching, [6, 6], [8, 8, 8]), []
        for device in ("cpu", "cuda"):
            layers = [[layer.to(device) for layer in stack] for stack in (hidden, hops)]
            losses.append(copy.deepcopy(term).to(device).loss(*layers).cpu())
        torch.testing.assert_close(losses[0], losses[1], atol=1e-5, rtol=1e-4)


def view(device: str, seed: int = 0) -> SettingView:
    return apply_setting(Graph.from_data(make_data()).to(device), "transductive", seed)


def trained(spec: DistillSpec, device: str = "cuda", seed: int = 0) -> tuple[StudentResult, list[dict[str, Any]]]:
    here, log = view(device, seed), []
    return train_student(here, spec, train_teacher(here, spec, seed, []), seed, log), log


def deep(**keys: Any) -> functools.partial[MLP]:
    return functools.partial(MLP, **{"num_layers": 3, "hidden_dim": 6, **keys})


@pytest.mark.parametrize("teacher", [GCN, SAGE, GAT])
def test_the_same_seed_gives_the_same_bits(teacher: type) -> None:
    spec = resolve(teacher=teacher, method="infgrand", matching="forward", student=deep())
    (one, log), (two, other) = trained(spec), trained(spec)
    assert log == other
    for name, tensor in one.task.state_dict().items():
        assert torch.equal(tensor, two.task.state_dict()[name])


@pytest.mark.parametrize(
    ("strategy", "term"),
    [*((strategy, "none") for strategy in catalogue(matching).values()), (matching.Forward, "entropy")],
)
def test_a_graph_of_calls_changes_nothing(
    strategy: type[Matching], term: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs(strategy)
    spec, made = resolve(matching=strategy(), term=term, student=deep(), training=Training(120, 30)), []
    here, results = view("cuda"), []
    teacher_result, replay = train_teacher(here, spec, 0, []), loop.CudaGraph
    monkeypatch.setattr(loop, "CudaGraph", lambda *parts: made.append(0) or replay(*parts))
    for replays in (True, False):
        monkeypatch.setattr(loop, "can_capture", lambda device, replays=replays: replays)
        log: list[dict[str, Any]] = []
        results.append((train_student(here, spec, teacher_result, 0, log).fit, log))
        assert bool(made) == strategy().is_static
    (there, log), (eager, own) = results
    assert (there.epochs, there.best_epoch) == (eager.epochs, eager.best_epoch)
    for row, other in zip(log, own, strict=True):
        assert row["loss"] == pytest.approx(other["loss"], rel=1e-5)


@pytest.mark.parametrize("teacher", [GCN, SAGE, GAT])
def test_a_teacher_in_a_graph_of_calls_learns_the_same(teacher: type, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, logs = resolve(teacher=teacher, training=Training(80, 20)), []
    for replays in (True, False):
        monkeypatch.setattr(loop, "can_capture", lambda device, replays=replays: replays)
        logs.append([])
        train_teacher(view("cuda"), spec, 0, logs[-1])
    for row, other in zip(*logs, strict=True):
        assert row["loss"] == pytest.approx(other["loss"], rel=1e-5)


@pytest.mark.parametrize("method", ["mlp", "glnn", "infgrand"])
def test_members_of_a_batched_model_are_what_they_are_alone(method: str, tmp_path: Path) -> None:
    training = Training(60, 15, together=True)
    spec, cache = resolve(method=method, student=deep(), training=training), StageCache(tmp_path)
    members = []
    for seed in range(4):
        here = view("cuda", seed)
        members.append(BatchedJob(here, spec, train_teacher(here, spec, seed, []), seed))
    assert train_batched(members, cache) == 4
    for member in members:
        parts = member.view, member.spec, member.teacher_result, member.seed
        logs: list[list[dict[str, Any]]] = [[], []]
        together, alone = train_student(*parts, logs[0], cache), train_student(*parts, logs[1])
        assert (together.fit.epochs, together.fit.best_epoch) == (alone.fit.epochs, alone.fit.best_epoch)
        for row, other in zip(*logs, strict=True):
            assert row["loss"] == pytest.approx(other["loss"], rel=1e-3)


def test_dropout_follows_its_generator() -> None:
    x = torch.ones(300, 1000, device="cuda", requires_grad=True)
    draw = [torch.Generator().manual_seed(seed) for seed in (1, 1, 2)]
    one, two, three = (dropout(x, 0.3, True, generator) for generator in draw)
    assert torch.equal(one, two)
    assert not torch.equal(one, three)
    assert float((one == 0).float().mean()) == pytest.approx(0.3, abs=0.005)
    one.sum().backward()
    assert torch.equal(x.grad, one)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("backend", available_backends(torch.device("cuda")))
def test_products_agree_with_the_cpu(backend: str, dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    row, col = torch.randint(500, (2, 9000), generator=generator)
    row[:4000] = 7  # a hub
    sparse = SparseMatrix.from_coo(row, col, torch.randn(9000, generator=generator, dtype=dtype), (500, 500))
    dense = torch.randn(500, 37, generator=generator, dtype=dtype)
    found = multiply(sparse.to("cuda"), dense.cuda(), backend).cpu()
    tolerance = 1e-4 if dtype == torch.float32 else 1e-10
    torch.testing.assert_close(found, sparse.to_dense() @ dense, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("method", ["glnn", "infgrand"])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_a_student_learns_as_on_the_cpu(method: str, sparse: bool, dropout: float) -> None:
    data, logs = make_data(), []
    if sparse:
        data.x = (data.x * (data.x > 0.5)).to_sparse_csr()
    spec = resolve(method=method, student=deep(dropout=dropout), training=Training(20, 50))
    said = torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
    for device in ("cpu", "cuda"):
        here = apply_setting(Graph.from_data(data).to(device), "transductive", 0)
        given = replace(spec, teacher=TeacherOutput(said.to(device)))
        logs.append([])
        train_student(here, given, train_teacher(here, given, 0, []), 0, logs[-1])
    for row, other in zip(*logs, strict=True):
        assert row["loss"] == pytest.approx(other["loss"], rel=1e-3)
