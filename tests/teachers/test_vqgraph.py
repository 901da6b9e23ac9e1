import functools
import inspect

import pytest
import torch

from graphkd import GraphKDError
from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.spec import resolve
from graphkd.teachers import TeacherOutput, VQGraph
from graphkd.teachers.edge_error import edge_error
from graphkd.teachers.fetch import fetched
from graphkd.teachers.given import given_output
from graphkd.teachers.layerwise import layerwise
from graphkd.training.settings import Training
from graphkd.training.stages.teacher import train_teacher
from tests.conftest import make_data

GRAPH = Graph.from_data(make_data())


def made(**keys: object) -> VQGraph:
    torch.manual_seed(0)
    return VQGraph(8, 6, 3, **{"dropout": 0.0, "codes": 7, "num_layers": 2, **keys}).double()


def computed(network: VQGraph) -> TeacherOutput:
    return network(GRAPH.x.double(), GRAPH.adj)


def operator() -> torch.Tensor:
    """D^-1/2 (A + I) D^-1/2, dense."""
    return GRAPH.adj.normalize("symmetric", 1, torch.float64).to_dense()


def literal(network: VQGraph) -> tuple[torch.Tensor, ...]:
    """h, its codes, D1 of them and the logits, node by node."""
    first, last, x, mean = network.convs[0].linear, network.convs[1], GRAPH.x.double(), operator()
    h = torch.relu(mean @ (x @ first.weight.T) + first.bias)
    codes = []
    for row in h:
        similarity = [float(row.detach() @ code) for code in network.codebook.codes]
        codes.append(network.codebook.codes[similarity.index(max(similarity))])
    e = torch.stack(codes)
    decoded = e @ network.edge_decoder.weight.T + network.edge_decoder.bias
    inner = torch.relu(mean @ (decoded @ last.conv.linear.weight.T) + last.conv.linear.bias)
    return h, e, decoded, inner @ last.linear.weight.T + last.linear.bias


def test_its_logits_are_those_of_the_codes() -> None:
    network = made().eval()
    h, _, _, logits = literal(network)
    output = computed(network)
    torch.testing.assert_close(output.logits, logits, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(output.hops[0], h)
    assert output.hops[-1] is output.logits
    torch.testing.assert_close(output.extras["tokens"], torch.nn.functional.normalize(h, dim=1))
    assert torch.equal(output.constants["codebook"], network.codebook.codes)


def test_its_loss_is_the_published_one() -> None:
    weights = {"lam_commit": 0.3, "lam_node": 0.2, "lam_edge": 0.7}
    network = made(pairs=3600, **weights)
    h, e, decoded, logits = literal(network)
    restored = e @ network.node_decoder.weight.T + network.node_decoder.bias
    label = -torch.log_softmax(logits, dim=1)[GRAPH.train, GRAPH.y[GRAPH.train]].mean()
    edges = edge_error(decoded, GRAPH.adj, 3600)
    expected = label + 0.3 * (h - e).square().mean() + 0.2 * (h - restored).square().mean() + 0.7 * edges
    used = {tuple(row.tolist()) for row in e}
    terms = network.loss(computed(network), GRAPH.y, GRAPH.train)
    torch.testing.assert_close(terms["loss"], expected, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(terms["label"], label, rtol=1e-10, atol=1e-12)
    assert float(terms["codes"]) == len(used) / 7
    assert set(terms) == {"loss", "label", "commitment", "features", "edges", "codes"}


def test_the_gradient_is_passed_by_the_codes_to_the_hidden_nodes() -> None:
    """The bias of the first hop gets what arrives at D1's input, where the hop is active."""
    network, seen = made(lam_commit=0.0, lam_node=0.0, lam_edge=0.0), list[torch.Tensor]()
    network.edge_decoder.register_full_backward_hook(lambda module, inner, outer: seen.append(inner[0]))
    network.loss(computed(network), GRAPH.y, GRAPH.train)["loss"].backward()
    expected = (seen[0] * (literal(network)[0] > 0)).sum(dim=0)
    assert bool(expected.any())
    torch.testing.assert_close(network.convs[0].linear.bias.grad, expected)


def test_pieces_of_the_graph_give_the_same_logits() -> None:
    network = made(num_layers=3).eval()
    expected = computed(network).logits
    torch.testing.assert_close(layerwise(network, GRAPH.x.double(), GRAPH.adj).logits, expected)
    nodes = torch.tensor([5, 40])
    torch.testing.assert_close(fetched(network, GRAPH.x.double(), GRAPH.adj, nodes), expected[nodes])


def test_a_fitted_one_that_is_given_keeps_its_codebook() -> None:
    output = given_output(made().float(), GRAPH)
    assert output.extras["tokens"].shape == (60, 6)
    assert output.constants["codebook"].shape == (7, 6)


def trained(**training: object) -> object:
    teacher = functools.partial(VQGraph, hidden_dim=6, codes=12)
    settings = Training(max_epochs=4, patience=4, **training)
    spec = resolve(teacher, method="vqgraph", training=settings)
    return train_teacher(apply_setting(GRAPH, "transductive"), spec, 0, log := []), log


def test_its_log_has_the_share_of_codes_in_use_and_its_codes_move() -> None:
    result, log = trained()
    assert all(0 < record["codes"] <= 1 for record in log)
    torch.manual_seed(0)
    assert float(result.model.codebook.sizes.sum()) > 0
    assert result.output.extras["tokens"].shape == (60, 6)


@pytest.mark.parametrize("way", ["checkpointed", "neighbours", "partitions"])
def test_steps_on_parts_of_the_graph_are_refused(way: str) -> None:
    with pytest.raises(
        GraphKDError, match=f"training.teacher_batches={way} splits.*teacher_batches=full"
    ) as caught:
        trained(teacher_batches=way)
    assert "\n" not in str(caught.value)


def test_a_step_on_blocks_is_refused() -> None:
    with pytest.raises(GraphKDError, match="use training.teacher_batches=full"):
        made()(GRAPH.x.double(), GRAPH.adj, checkpointed=True)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"num_layers": 1}, "set teacher.num_layers to 2 or more"),
        ({"codes": 0}, "teacher.codes is 0: it must be a whole number from 1 to"),
        ({"codes": 2**21}, "teacher.codes is 2097152"),
        ({"pairs": 0}, "teacher.pairs is 0"),
        ({"decay": 1.0}, r"teacher.decay is 1.0: it must lie in \[0, 1\)"),
        ({"lam_commit": -0.1}, "teacher.lam_commit is -0.1: it must be a number, 0 or more"),
        ({"lam_edge": float("nan")}, "teacher.lam_edge is nan"),
        ({"reseed": -1.0}, "teacher.reseed is -1.0"),
    ],
)
def test_bad_settings_are_refused(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        made(**keys)


def test_re_seeding_and_clusters_are_off_as_released() -> None:
    defaults = inspect.signature(VQGraph).parameters
    assert (defaults["reseed"].default, defaults["kmeans"].default) == (0.0, False)
    book = made(reseed=1.5, kmeans=True).codebook
    assert (book.reseed, book.kmeans, bool(book.started)) == (1.5, True, False)
