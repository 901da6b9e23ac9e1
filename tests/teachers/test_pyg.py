import subprocess
import sys

import pytest
import torch
import torch_geometric.nn

import graphkd
from graphkd import GraphKDError, Training
from graphkd.config import composed, spec_from
from graphkd.sparse import Adjacency, as_features
from graphkd.teachers import PyG
from tests.conftest import make_data

EDGES = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
ADJ = Adjacency(EDGES, 3)
X = torch.tensor([[1.0, 0.0, 2.0, 0.0], [0.0, 3.0, 0.0, 0.0], [0.0, 0.0, -1.0, 1.0]])
PNA = {"aggregators": ["mean", "max"], "scalers": ["identity", "amplification"], "deg": [0, 2, 1]}
STACKS = [
    ("GCN", {}),
    ("GraphSAGE", {"aggr": "max"}),
    ("GIN", {}),
    ("GAT", {"v2": True}),
    ("EdgeCNN", {}),
    ("PNA", PNA),
]


@pytest.mark.parametrize(("model", "options"), STACKS)
def test_logits_are_the_wrapped_network_s_and_hops_its_convolutions(model: str, options: dict) -> None:
    torch.manual_seed(0)
    teacher = PyG(4, 8, 3, num_layers=3, model=model, options=options).eval()
    further = {**options, **({"deg": torch.tensor([0, 2, 1])} if model == "PNA" else {})}
    theirs = getattr(torch_geometric.nn, model)(4, 8, 3, 3, dropout=0.5, **further).eval()
    theirs.load_state_dict(teacher.network.state_dict())
    for x in (X, as_features(X.to_sparse_csr())):
        out = teacher(x, ADJ)
        torch.testing.assert_close(out.logits, theirs(X, EDGES))
        torch.testing.assert_close(out.hops[0], theirs.convs[0](X, EDGES))
        assert [tuple(hop.shape) for hop in out.hops] == [(3, 8), (3, 8), (3, 3)]
        assert out.hops[-1] is out.logits


def test_a_stack_with_jumping_knowledge_of_its_own_has_one_more_hop() -> None:
    out = PyG(4, 8, 3, num_layers=2, model="GCN", options={"jk": "cat"})(X, ADJ)
    assert [tuple(hop.shape) for hop in out.hops] == [(3, 8), (3, 8), (3, 3)]


@pytest.mark.parametrize(("model", "options"), [("TAGConv", {"K": 2}), ("SGConv", {}), ("TransformerConv", {})])
def test_another_class_has_logits_alone(model: str, options: dict) -> None:
    torch.manual_seed(0)
    teacher = PyG(4, 8, 3, model=model, options=options).eval()
    out = teacher(X, ADJ)
    assert out.hops == []
    torch.testing.assert_close(out.logits, teacher.network(X, EDGES))


def test_weights_are_read_where_the_network_takes_them() -> None:
    weight = torch.tensor([1.0, 2.0, 3.0, 4.0])
    gcn, gin = (PyG(4, 8, 3, model=model).eval() for model in ("GCN", "GIN"))
    torch.testing.assert_close(gcn(X, EDGES, weight).logits, gcn.network(X, EDGES, weight))
    torch.testing.assert_close(gin(X, EDGES, weight).logits, gin.network(X, EDGES))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"model": "Gin"},
            r"unknown teacher.model 'Gin': did you mean 'GIN'\? choose one of EdgeCNN, GAT, GCN, GIN",
        ),
        ({"model": 3}, "unknown teacher.model '3': choose one of"),
        ({"model": "Linear"}, r"teacher.model=Linear is called \(x\), not \(x, edge_index\)"),
        ({"model": "RENet"}, "teacher.model=RENet is called"),
        ({"model": "PNA"}, "teacher.model=PNA cannot be built .*'aggregators', 'scalers', and 'deg'"),
        ({"model": "LINKX"}, "teacher.model=LINKX cannot be built .*num_nodes"),
        ({"options": {"eps": [[1]]}}, r"teacher.options.eps is \[\[1\]\]: give a number, a word"),
        ({"options": "eps"}, "teacher.options is eps: give arguments by name"),
        ({"options": {"num_layers": 3}}, "teacher.options.num_layers is set by other keys"),
        (
            {"model": "GCN", "options": {"cached": True}},
            "teacher.options.cached would keep the edges of one graph",
        ),
        ({"options": {"nonsense": 3}}, "teacher.model=GIN cannot be built .*nonsense"),
        ({"num_layers": 0}, "num_layers is 0"),
    ],
)
def test_what_cannot_be_built_ends_in_one_line(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message) as error:
        PyG(4, **keys)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("SimpleConv", r"teacher.model=SimpleConv returns \[3, 4\], not the logits \[3, 2\]"),
        ("SAGPooling", "teacher.model=SAGPooling returns tuple, not the logits"),
        ("WLConv", r"teacher.model=WLConv failed when called with \(x, edge_index\)"),
    ],
)
def test_what_returns_no_logits_ends_in_one_line(model: str, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        PyG(4, model=model)(X, ADJ)


def test_blocks_and_recomputation_are_refused() -> None:
    for arguments in ((X, [ADJ]), (X, ADJ, None, True)):
        with pytest.raises(GraphKDError, match="teacher=pyg calls GIN with the whole graph: use training"):
            PyG(4)(*arguments)


def test_options_of_the_command_line_are_those_of_python() -> None:
    overrides = ["teacher=pyg", "teacher.model=GAT", "teacher.options={heads: 2, v2: true}"]
    spec = spec_from(composed(overrides))
    assert spec.config()["teacher"]["options"] == {"heads": 2, "v2": True}
    network = spec.teacher(num_features=4, num_classes=3).network
    assert network.convs[0].heads == 2
    with pytest.raises(GraphKDError, match="'transform.teachers'"):
        spec_from(composed(["transform=ensemble", "transform.teachers={a: gcn}"]))


def test_a_run_has_the_same_bits_again() -> None:
    """Hidden hops are matched, and PyG's dropout is drawn from the run's seed."""
    runs = [
        graphkd.distill(
            make_data(), teacher="pyg", matching="last", training=Training(max_epochs=3), baseline=False
        )
        for _ in range(2)
    ]
    for mine, other in zip(runs[0].teacher.parameters(), runs[1].teacher.parameters(), strict=True):
        assert torch.equal(mine, other)


@pytest.mark.slow
def test_the_package_imports_none_of_pyg_s_networks() -> None:
    code = "import sys, graphkd.teachers; sys.exit('torch_geometric.nn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
