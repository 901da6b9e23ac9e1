"""The stages on a CUDA device; `make test-gpu`."""

import copy
from collections.abc import Callable

import pytest
import torch

import graphkd
from graphkd import influence, matching
from graphkd.datasets import Graph
from graphkd.influence import infgrand
from graphkd.influence.inputs import inputs_of
from graphkd.matching import Matching
from graphkd.methods import InfGraND
from graphkd.names import catalogue
from graphkd.recipe import resolve
from graphkd.teachers import GCN, TeacherOutput
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
        z = logits.to(device).requires_grad_()
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
    right = model.predict(data.x, data.edge_index) == data.y.numpy()
    assert abs(right[data.test_mask.numpy()].mean() - run.metrics["mean"]["student_test"]) < 0.005


@pytest.mark.parametrize("strategy", catalogue(matching).values())
@pytest.mark.parametrize("projection", ["auto", "orthogonal"])
def test_matching_agrees_with_the_cpu(strategy: type[Matching], projection: str) -> None:
    recipe = resolve(matching=strategy(projection=projection))
    hidden, hops = [torch.randn(40, 6) for _ in range(2)], [torch.randn(40, 8) for _ in range(3)]
    torch.manual_seed(0)
    term, losses = recipe.matching_term(hidden, hops), []
    for device in ("cpu", "cuda"):
        if term is not None:
            layers = [[layer.to(device) for layer in stack] for stack in (hidden, hops)]
            losses.append(copy.deepcopy(term).to(device)(*layers).cpu())
    if losses:
        torch.testing.assert_close(losses[0], losses[1], atol=1e-5, rtol=1e-4)
