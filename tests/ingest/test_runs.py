"""Sorted runs: their merge is the sort of all of them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphkd.edges import merge
from graphkd.ingest.runs import Entries, largest, merged, open_run, sorted_run, summed, write_run

KEYS = st.lists(st.lists(st.integers(0, 30), max_size=20), max_size=5)


@given(drawn=KEYS, most=st.integers(1, 50))
def test_without_weights_it_is_the_set_of_all(drawn: list[list[int]], most: int) -> None:
    runs = [sorted_run(np.array(keys, dtype=np.int64), None).keys for keys in drawn]
    parts = [part.keys for part in merged(runs, most, summed)]
    assert np.concatenate([[], *parts]).tolist() == sorted({key for keys in drawn for key in keys})
    assert all(part.size for part in parts)


@given(drawn=KEYS, most=st.integers(1, 50), seed=st.integers(0, 9))
def test_with_weights_it_is_the_merge_in_memory_to_the_bit(drawn: list[list[int]], most: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    tables = [(np.array(keys, dtype=np.int64), 10.0 ** generator.integers(-9, 9, len(keys))) for keys in drawn]
    runs = [sorted_run(*table).packed() for table in tables]
    keys = np.concatenate([np.empty(0, np.int64), *(table[0] for table in tables)])
    weight = np.concatenate([np.empty(0), *(table[1] for table in tables)])
    row, col, expected = merge(keys // 6, keys % 6, weight, 6)
    parts = list(merged(runs, most, summed))
    assert np.concatenate([[], *(part.keys for part in parts)]).tolist() == (row * 6 + col).tolist()
    assert np.concatenate([[], *(part.weight for part in parts)]).tolist() == expected.tolist()
    most_of = {key: float(weight[keys == key].max()) for key in np.unique(keys).tolist()}
    parts = list(merged(runs, most, largest))
    assert np.concatenate([[], *(part.weight for part in parts)]).tolist() == list(most_of.values())


def test_at_most_so_many_are_in_memory() -> None:
    runs = [np.arange(start, 3000, 3) for start in range(3)]
    sizes = [part.keys.size for part in merged(runs, 300, summed)]
    assert sum(sizes) == 3000
    assert max(sizes) <= 300
    assert len(sizes) <= 25


@pytest.mark.parametrize("weight", [None, np.array([0.5, 1.5])])
def test_a_file_gives_back_what_was_written(weight: np.ndarray | None, tmp_path: Path) -> None:
    write_run(tmp_path / "one.run", iter([Entries(np.array([1, 4]), weight)]))
    run = open_run(tmp_path / "one.run", weight is not None)
    assert run.tolist() == [1, 4] if weight is None else [(1, 0.5), (4, 1.5)]
    write_run(tmp_path / "none.run", iter([]))
    assert open_run(tmp_path / "none.run", weight is not None).size == 0
