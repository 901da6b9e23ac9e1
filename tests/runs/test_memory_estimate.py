"""The needs are lower bounds, and near enough to the truth to be of use."""

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from torch_geometric.data import Data

from graphkd import methods, students, teachers
from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.runs.memory_estimate import memory_needs, shape_of, weights_size
from graphkd.spec import resolve
from graphkd.teachers import TeacherOutput
from graphkd.training import Training
from tests.conftest import make_data

SIZES = {"num_features": 8, "num_classes": 3}

MEASURE = """
import functools, torch
from torch_geometric.data import Data
from graphkd import students, teachers
from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.spec import resolve
from graphkd.runs import SeedRun
from graphkd.runs.memory_estimate import memory_needs
from graphkd.training import Training

def graph(n, e):
    third = torch.arange(n) % 3
    masks = {f"{name}_mask": third == k for k, name in enumerate(("train", "val", "test"))}
    return Graph.from_data(Data(x=torch.rand(n, 16), edge_index=torch.randint(n, (2, e)), y=third, **masks))

def status(key):
    return 1024 * int(next(line for line in open("/proc/self/status") if line.startswith(key)).split()[1])

def measure(n, e, teacher, student, training=Training(2), **keys):
    spec = resolve(teacher, functools.partial(students.MLP, hidden_dim=student), training=training, **keys)
    given = graph(n, e)
    open("/proc/self/clear_refs", "w").write("5")  # the peak is counted from here
    before = status("VmRSS")
    SeedRun.train(given, spec, 0)
    return max(need.size for need in memory_needs(apply_setting(given), spec)), status("VmHWM") - before

torch.manual_seed(0)
for name in ("gcn", "sage", "gat"):
    measure(100, 300, name, 8)
for kind in (teachers.GCN, teachers.SAGE, teachers.GAT):
    print(*measure(10_000, 40_000, functools.partial(kind, hidden_dim=256), 8))
print(*measure(10_000, 40_000, "gcn", 512, method="infgrand", influence="uniform"))
for kind, way in ((teachers.GAT, "checkpointed"), (teachers.GAT, "neighbours"), (teachers.SAGE, "partitions")):
    batches = Training(1, teacher_batches=way, teacher_batch_size=1000, fanout=1, parts=4, parts_per_step=2)
    print(*measure(6_000, 12_000, functools.partial(kind, hidden_dim=256, num_layers=3), 8, batches))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak can be reset on Linux only")
def test_between_a_third_of_the_measured_peak_and_all_of_it() -> None:
    # Without a fixed threshold, freed blocks may stay in the heap and hide a part of the next peak.
    env = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"}
    done = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True, env=env)
    measured = [[int(word) for word in line.split()] for line in done.stdout.splitlines()]
    assert len(measured) == 7
    for estimate, peak in measured:
        assert 0.3 * peak <= estimate <= peak


@pytest.mark.parametrize("norm", ["none", "batch"])
@pytest.mark.parametrize(
    "kind", [*(teachers.GCN, teachers.GAT, teachers.SAGE, teachers.GraphTransformer), students.MLP]
)
def test_parameters_are_counted_without_making_any(kind, norm: str) -> None:
    factory = functools.partial(kind, hidden_dim=12, num_layers=3, norm=norm)
    shape = shape_of(factory, SIZES)
    assert shape.parameters == sum(weight.numel() for weight in factory(**SIZES).parameters())
    assert (shape.layers, shape.width, shape.outputs, shape.masked) == (2, 12, 3, True)
    assert shape_of(functools.partial(kind, hidden_dim=2_000_000, num_layers=3), SIZES).parameters > 4e12


def needs(data=None, **keys) -> dict[str, int]:
    view = apply_setting(Graph.from_data(data or make_data()))
    return {need.what: need.size for need in memory_needs(view, resolve(**keys))}


def test_by_hand() -> None:
    """60 nodes, 8 features, 3 classes, layers of 128."""
    weights = 8 * 128 + 128 + 128 * 3 + 3
    step = 4 * 4 * weights + 60 * (8 * 128 + 4 * 128 + 4 * 3)
    frozen = 4 * weights + 4 * 60 * (128 + 3)
    assert needs() == {"the teacher": step, "the student": frozen + step}
    assert needs(method="infgrand")["the student's encoded inputs"] == frozen + 3 * 4 * 60 * 8
    assert needs(method="infgrand")["the student"] == frozen + step + 4 * 60 * 8
    labelled = 4 * 4 * weights + 20 * (8 * 128 + 4 * 128 + 4 * 3)
    assert needs(method="mlp") == {"the student": labelled}  # there is no teacher
    assert needs(method="mlp", matching="forward")["the student"] == frozen + step


def test_a_batch_needs_what_its_rows_do() -> None:
    step = 4 * 4 * (8 * 128 + 128 + 128 * 3 + 3) + 16 * (8 * 128 + 4 * 128 + 4 * 3)
    frozen = needs()["the student"] - needs()["the teacher"]
    for size, expected in ((16, frozen + step), (60, needs()["the student"]), (1000, needs()["the student"])):
        assert needs(training=Training(batch_size=size))["the student"] == expected


@pytest.mark.parametrize(
    ("rows", "size", "advised"), [(60, None, 0), (6000, None, 1), (6000, 5000, 1), (6000, 9, 0)]
)
def test_smaller_batches_are_advised_where_they_help(rows: int, size: int | None, advised: bool) -> None:
    third = torch.arange(rows) % 3
    masks = {f"{name}_mask": third == k for k, name in enumerate(("train", "val", "test"))}
    graph = Graph.from_data(Data(x=torch.rand(rows, 2), edge_index=torch.zeros(2, 0).long(), y=third, **masks))
    need = memory_needs(apply_setting(graph), resolve(training=Training(batch_size=size)))[-1]
    assert need.advice.endswith(", or training.batch_size=4096") == advised


def test_a_pooled_table_by_hand() -> None:
    """As above; the powers of the features, at most two at once, beside the table while it is made."""
    weights = {wide: 8 * wide * 128 + 128 + 128 * 3 + 3 for wide in (1, 3)}
    frozen, unit = 4 * weights[1] + 4 * 60 * (128 + 3), 4 * 60 * 8
    step = {wide: 4 * 4 * weights[wide] + 60 * (8 * 128 + 4 * 128 + 4 * 3) for wide in (1, 3)}
    for pooling, wide in (("concat", 3), ("max", 1)):
        found = needs(method=methods.InfGraND(hops=2, pooling=pooling))
        assert found["the student's encoded inputs"] == frozen + (wide + 2) * unit
        assert found["the student"] == frozen + wide * unit + step[wide]
    sparse, what = make_data(), "the student's encoded inputs"
    sparse.x = torch.cat([sparse.x, torch.zeros(60, 1000)], dim=1).to_sparse_csr()
    for pooling in ("mean", "concat"):
        assert what not in needs(sparse, method=methods.InfGraND(pooling=pooling))
    assert needs(sparse, method=methods.InfGraND(hops=1, pooling="min"))[what] > 2 * 4 * 60 * 1008
    factored = resolve(method=methods.InfGraND(hops=2, pooling="concat"))
    assert weights_size(factored, 8, 3) == (4 * weights[1], 4 * weights[3])


def test_a_teacher_in_batches_by_hand() -> None:
    """60 nodes, 20 of them for training; two hidden layers of 128, and a step's rows at least."""
    deep = functools.partial(teachers.GCN, num_layers=3)
    weights = 8 * 128 + 128 + 128 * 128 + 128 + 128 * 3 + 3
    flowing = 4 * 128 + 4 * 3
    for way, rows in (("full", 60), ("neighbours", 12), ("partitions", 20)):  # 10 parts by 4s: a third at least
        batches = Training(teacher_batches=way, teacher_batch_size=12, parts=10, parts_per_step=4)
        found = needs(teacher=deep, training=batches)["the teacher"]
        assert found == max(16 * weights + rows * (2 * 8 * 128 + flowing), 20 * weights)
    found = needs(teacher=deep, training=Training(teacher_batches="checkpointed"))["the teacher"]
    assert found == 16 * weights + 60 * (2 * 4 * 128 + flowing)
    few = Training(teacher_batches="neighbours", teacher_batch_size=1000)
    assert needs(teacher=deep, training=few)["the teacher"] == 20 * weights  # 20 rows need less than gradients


def test_attention_of_one_layer_at_a_time_where_it_is_made_again() -> None:
    deep, step = functools.partial(teachers.GAT, num_layers=3), {}
    for way in ("full", "checkpointed", "neighbours"):
        batches = Training(teacher_batches=way, teacher_batch_size=5)
        step[way] = needs(teacher=deep, training=batches)["the teacher"]
    dry = functools.partial(teachers.GCN, dropout=0.0)
    assert needs(teacher=dry)["the teacher"] < needs()["the teacher"]
    assert "the student's encoded inputs" not in needs(method=methods.InfGraND(hops=0))


class Own(nn.Module):
    pass


def test_a_teacher_without_a_hidden_width_has_hops_as_wide_as_its_classes() -> None:
    shape = shape_of(teachers.SGC, SIZES)
    assert (shape.layers, shape.width, shape.outputs, shape.masked) == (1, 3, 3, False)
    assert shape.parameters == SIZES["num_features"] * 3 + 3


def test_of_a_person_s_own_teacher_nothing_is_known() -> None:
    output = TeacherOutput(make_data().y.new_zeros(60, 3).float())
    alone = {"the student": needs()["the student"] - 4 * (8 * 128 + 128 + 128 * 3 + 3) - 4 * 60 * (128 + 3)}
    for teacher in (Own(), Own, lambda num_features, num_classes: Own(), output, teachers.PyG):
        assert needs(teacher=teacher) == alone
        assert weights_size(resolve(teacher=teacher), 8, 3)[0] == 0
