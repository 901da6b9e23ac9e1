from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

import graphkd.positions._deepwalk as module
from graphkd.errors import GraphKDError
from graphkd.positions import deepwalk
from graphkd.sparse import Adjacency
from tests.memory import peak_growth
from tests.positions.graphs import random_graph, two_parts

SMALL = {"dim": 8, "walks": 3, "length": 10}


class KilledError(Exception):
    """Ends a run where a process would be killed."""


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of three walks, and a checkpoint after each."""
    monkeypatch.setattr(module, "BLOCK", 30)
    monkeypatch.setattr(module, "SECONDS", 0.0)


def kill_after(blocks: int, patch: pytest.MonkeyPatch) -> None:
    block, done = module._block, []

    def counted(*arguments: object) -> None:
        if len(done) == blocks:
            raise KilledError
        block(*arguments)  # type: ignore[arg-type]
        done.append(1)

    patch.setattr(module, "_block", counted)


def test_neighbours_get_more_similar_vectors_than_other_nodes() -> None:
    cliques = [torch.combinations(torch.arange(10)).t() + 10 * part for part in range(2)]
    adj = Adjacency(torch.cat([*cliques, torch.tensor([[0], [10]])], dim=1), 20)
    unit = torch.nn.functional.normalize(deepwalk(adj, dim=8, walks=50, lr=0.1), dim=1)
    cosine = unit @ unit.t()
    assert cosine[:10, :10].mean() > cosine[:10, 10:].mean() + 0.3


@pytest.mark.parametrize("settings", [{}, {"p": 0.5, "q": 2.0}])
def test_bits_depend_on_the_seed_and_not_on_the_number_of_threads(settings: dict[str, float]) -> None:
    adj, before = random_graph(weighted=True), torch.get_num_threads()
    first = deepwalk(adj, **SMALL, **settings)  # type: ignore[arg-type]
    assert first.dtype == torch.float32
    assert first.shape == (30, 8)
    try:
        torch.set_num_threads(2)
        assert torch.equal(deepwalk(adj, **SMALL, **settings), first)  # type: ignore[arg-type]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert torch.equal(deepwalk(adj, **SMALL, **settings), first)  # type: ignore[arg-type]
    assert not torch.equal(deepwalk(adj, **SMALL, **settings, seed=1), first)  # type: ignore[arg-type]


def test_torchs_own_generator_is_neither_read_nor_moved() -> None:
    torch.manual_seed(5)
    first, state = deepwalk(two_parts(), **SMALL), torch.get_rng_state()
    torch.manual_seed(6)
    assert torch.equal(deepwalk(two_parts(), **SMALL), first)
    torch.manual_seed(5)
    assert torch.equal(torch.get_rng_state(), state)


def test_directions_of_edges_and_weights_of_one_make_no_difference() -> None:
    adj = two_parts()
    edges = torch.stack([adj.matrix.row, adj.matrix.col])
    for other in (Adjacency(edges, 9), Adjacency(edges, 9, torch.ones(edges.shape[1]))):
        assert torch.equal(deepwalk(other, **SMALL), deepwalk(adj, **SMALL))


def test_isolated_nodes_get_zeros_and_others_do_not() -> None:
    found = deepwalk(two_parts(), **SMALL)
    assert not found[8].any()
    assert found[:8].any(dim=1).all()
    assert not deepwalk(Adjacency(torch.tensor([[1], [1]]), 3), **SMALL).any()
    assert deepwalk(Adjacency(torch.zeros(2, 0, dtype=torch.long), 0), **SMALL).shape == (0, 8)


def test_small_components_do_not_drive_their_rows_apart() -> None:
    pair = Adjacency(torch.tensor([[0], [1]]), 2)
    assert deepwalk(pair, dim=8, walks=500).norm(dim=1).max() < 10


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("blocks", [1, 7, 29])
@pytest.mark.parametrize("settings", [{}, {"p": 0.5, "q": 2.0}])
def test_a_killed_run_continues_and_ends_with_the_same_bits(
    blocks: int, settings: dict[str, float], tmp_path: Path
) -> None:
    adj, file = random_graph(), tmp_path / "new" / "positions.safetensors"
    expected = deepwalk(adj, **SMALL, **settings)  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        kill_after(blocks, patch)
        with pytest.raises(KilledError):
            deepwalk(adj, **SMALL, **settings, checkpoint=file)  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        kill_after(30 - blocks, patch)  # no block is done twice: 28 nodes have edges, hence 10 blocks a round
        assert torch.equal(deepwalk(adj, **SMALL, **settings, checkpoint=file), expected)  # type: ignore[arg-type]
    assert not list(file.parent.iterdir())


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("change", [{"lr": 0.05}, {"seed": 1}, {"dim": 4}, {"q": 2.0}, "graph"])
def test_a_checkpoint_of_other_settings_or_of_another_graph_starts_anew(
    change: dict[str, float] | str, tmp_path: Path
) -> None:
    file = tmp_path / "positions.safetensors"
    with pytest.MonkeyPatch.context() as patch:
        kill_after(2, patch)
        with pytest.raises(KilledError):
            deepwalk(random_graph(), **SMALL, checkpoint=file)
    adj = random_graph(seed=3) if change == "graph" else random_graph()
    settings = {**SMALL, **(change if isinstance(change, dict) else {})}
    assert torch.equal(deepwalk(adj, **settings, checkpoint=file), deepwalk(adj, **settings))  # type: ignore[arg-type]


@pytest.mark.parametrize("content", [b"notes of a user", safetensors.torch.save({"weight": torch.ones(2)})])
def test_a_file_that_is_no_checkpoint_is_kept(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(content)
    with pytest.raises(GraphKDError, match="is no checkpoint of positions .*: delete it or choose another path"):
        deepwalk(two_parts(), **SMALL, checkpoint=file)
    assert file.read_bytes() == content


def test_a_checkpoint_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GraphKDError, match="cannot be written .*: choose another checkpoint"):
        deepwalk(two_parts(), **SMALL, checkpoint=tmp_path / "file" / "positions.safetensors")
    with pytest.raises(GraphKDError, match="checkpoint is 3: give a path"):
        deepwalk(two_parts(), **SMALL, checkpoint=3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("count", "expected"), [(7, 7), (2_708, 2_048), (19_717, 2_048), (169_343, 16_934), (10**7, 65_536)]
)
def test_a_step_reads_a_tenth_of_the_graph_within_limits(count: int, expected: int) -> None:
    assert module._batch(count) == expected


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    settings = {
        "dim": np.int64(8),
        "walks": np.int32(3),
        "length": 10,
        "lr": np.float32(0.025),
        "seed": np.int64(0),
    }
    found = deepwalk(two_parts(), **settings, checkpoint=tmp_path / "positions")  # type: ignore[arg-type]
    torch.testing.assert_close(found, deepwalk(two_parts(), **SMALL))


def test_progress_counts_walks(capsys: pytest.CaptureFixture[str]) -> None:
    deepwalk(two_parts(), **SMALL)
    assert not capsys.readouterr().err
    deepwalk(two_parts(), **SMALL, progress=True)
    assert "/24" in capsys.readouterr().err  # three from each of eight nodes


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        *(
            ({name: value}, f"{name} of positions is .*: give a whole number from 1")
            for name in ("dim", "walks", "length", "window", "negatives", "epochs")
            for value in (0, -1, 2.5, True, math.nan)
        ),
        ({"length": 1}, "a walk without pairs: give a whole number from 2"),
        *(
            ({"lr": value}, "lr of positions is .*: give a finite number above 0")
            for value in (0, -1, math.nan, math.inf, "1")
        ),
        *(
            ({name: value}, f"{name} of positions is .*: give a number from 0.01 to 100")
            for name in "pq"
            for value in (0, -1, 0.001, 101, math.nan, math.inf)
        ),
        ({"seed": -1}, "seed of positions is -1"),
        ({"seed": 0.5}, "seed of positions is 0.5"),
    ],
)
def test_settings_out_of_range_are_refused_in_one_line(settings: dict[str, float], message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        deepwalk(two_parts(), **settings)  # type: ignore[arg-type]


def test_vectors_that_are_no_longer_finite_are_refused() -> None:
    with pytest.raises(GraphKDError, match="no longer finite numbers: lower lr"):
        deepwalk(two_parts(), **SMALL, lr=1e30)


def test_never_more_than_one_block_of_walks_is_drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    monkeypatch.setattr(module, "BLOCK", 64)
    monkeypatch.setattr(module, "_block", lambda model, walks, *_: sizes.append(walks.size))
    deepwalk(random_graph(), dim=4, walks=7, length=10)
    assert max(sizes) <= 64
    assert sum(sizes) == 28 * 7 * 10  # 28 nodes have edges


@pytest.mark.slow
def test_no_array_of_all_pairs_is_made() -> None:
    setup = """
import torch
from graphkd.positions import deepwalk
from graphkd.sparse import Adjacency
node = torch.arange(8_000)
adj = Adjacency(torch.stack([node[1:], node[:-1]]), 8_000)
deepwalk(Adjacency(torch.tensor([[0], [1]]), 2), 1)
"""
    # All pairs take 256 MB in float32.
    assert peak_growth(setup, "deepwalk(adj, dim=4, walks=1, length=20)") < 100e6
