"""A writer that is stopped at any of its steps leaves the old or the new version."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from graphkd import GraphKDError
from graphkd.deploy import FeatureStore
from graphkd.deploy.store import disk, reading
from graphkd.deploy.store.build import build as build_folder
from graphkd.deploy.store.layout import SEQUENCE
from graphkd.deploy.store.settings import Settings

STEPS = ("write", "sync", "truncate", "allocate", "replace", "remove")


class Killed(BaseException):
    """The process ends here."""


class Steps:
    """Counts the steps that change files, and stops at one: before it, or for a write in the middle of it."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.taken: list[str] = []
        self.last, self.torn = -1, False
        patch.setattr(disk.os, "fsync", lambda handle: None)
        for name in STEPS:
            patch.setattr(disk, name, self.counted(name, getattr(disk, name)))

    def counted(self, name: str, function: Callable) -> Callable:
        def call(*args: object) -> object:
            if len(self.taken) == self.last:
                if name == "write" and self.torn:
                    handle, content, offset = args
                    function(handle, memoryview(content)[: len(content) // 2], offset)
                raise Killed
            self.taken.append(name)
            return function(*args)

        return call

    def stop_at(self, last: int, torn: bool = False) -> None:
        self.taken, self.last, self.torn = [], last, torn


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    monkeypatch.setattr(reading, "PATIENCE", 0.0)
    return Steps(monkeypatch)


def build(path: Path, directed: bool, positions: bool = False) -> None:
    rng = np.random.default_rng(0)
    edges = rng.integers(0, 8, (2, 12))
    edges = edges if directed else np.concatenate([edges, edges[::-1]], axis=1)
    vectors = rng.standard_normal((8, 3)).astype(np.float32) if positions else None
    settings = Settings(2, 2, directed=directed, dim=3 if positions else 0)
    rows, nodes, names = rng.standard_normal((8, 2)), [-1, 1, 2, 3, -1, 5, 6, 7], [*"abcdefgh"]
    build_folder(path, settings, rows, edges, None, vectors, nodes, names)
    store = FeatureStore(path, write=True)
    store.insert_edges([[0, 1], [3, 4]])
    store.close()


def state(store: FeatureStore) -> list:
    """All that can be asked of a store, exactly."""
    store.verify()
    ids = store.nodes.tolist()
    lists = [[part.tolist() for part in store.neighbours(node)] for node in ids]
    named = {} if store.node_ids is None else {**store.node_ids.inserted}
    return [ids, store.rows(ids).tobytes(), lists, named]


def contents(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.iterdir()}


def restored(path: Path, files: dict[str, bytes]) -> Path:
    """A folder with these files and no others; what is there is written over, which is faster than to copy."""
    path.mkdir(exist_ok=True)
    for extra in {file.name for file in path.iterdir()} - set(files):
        (path / extra).unlink()
    for name, content in files.items():
        (path / name).write_bytes(content)
    return path


def fill(store: FeatureStore) -> None:
    """To the last place: the next node needs longer files."""
    while True:
        arrays = store._reader.arrays
        if arrays.next_id == arrays.layout.capacity:
            return
        store.insert_node([1.0, 2.0])


OPERATIONS: dict[str, Callable[[FeatureStore], object]] = {
    "insert_node": lambda store: store.insert_node([1.0, 2.0], [0, 1, 2]),
    "insert_named": lambda store: store.insert_node([1.0, 2.0], [0, 1, 2], node_id="new"),
    "delete_node": lambda store: store.delete_node(3),
    "insert_edges": lambda store: store.insert_edges([[0, 5], [7, 6]]),
    "delete_edges": lambda store: store.delete_edges([[0, 1], [3, 4]]),
    "update_features": lambda store: store.update_features([1, 2], [[1.0, 2.0], [3.0, 4.0]]),
}


def further(store: FeatureStore) -> None:
    """Lists that grow must not be laid over those that grew before the writer was stopped."""
    node = store.insert_node([5.0, 6.0], store.nodes)
    assert store.neighbours(node)[0].tolist() == store.nodes.tolist()[:-1]
    store.verify()
    # The id of a node that did not come in is not that of the next one.
    assert store.node_ids is None or node not in store.node_ids.inserted.values()


@pytest.mark.parametrize(
    ("name", "directed", "positions"),
    [
        *[("insert_node", False, True), ("delete_node", True, True), ("insert_edges", True, False)],
        *[
            pytest.param(*steps, marks=pytest.mark.slow)  # alike
            for steps in (
                *[("insert_named", False, False), ("delete_edges", False, False)],
                *[("growth", True, True), ("update_features", False, False)],
            )
        ],
    ],
)
def test_stopped_at_every_step(name: str, directed: bool, positions: bool, tmp_path: Path, steps: Steps) -> None:
    first, operation = tmp_path / "first", OPERATIONS.get(name, OPERATIONS["insert_node"])
    build(first, directed, positions)
    if name == "growth":
        with FeatureStore(first, write=True) as store:
            fill(store)
    old, files = state(FeatureStore(first)), contents(first)
    store = FeatureStore(restored(tmp_path / "whole", files), write=True)
    steps.stop_at(-1)
    operation(store)
    taken, new = [*steps.taken], state(store)
    assert len(taken) > 5
    assert old != new
    seen = []
    for last, kind in enumerate(taken):
        for torn in (False, True) if kind == "write" else (False,):
            copy = restored(tmp_path / "copy", files)
            store = FeatureStore(copy, write=True)
            steps.stop_at(last, torn)
            with pytest.raises(Killed):
                operation(store)
            steps.stop_at(-1)
            with pytest.raises(GraphKDError, match="was cut short"):
                operation(store)
            write = last % 2 == 0
            with FeatureStore(copy, write) as survivor:  # a reader completes the update as well
                found = state(survivor)
                if write:
                    further(survivor)
            assert found in (old, new), last
            seen.append(found == new)
    assert seen == sorted(seen)  # from some step on it has happened
    assert {*seen} == {False, True}


@pytest.mark.slow
def test_stopped_while_the_journal_is_replayed(tmp_path: Path, steps: Steps) -> None:
    first = tmp_path / "first"
    build(first, directed=False)
    with FeatureStore(restored(tmp_path / "whole", contents(first)), write=True) as store:
        steps.stop_at(-1)
        OPERATIONS["insert_node"](store)
        total, new = len(steps.taken), state(store)
    store = FeatureStore(first, write=True)
    steps.stop_at(total // 2)  # in the middle of the arrays
    with pytest.raises(Killed):
        OPERATIONS["insert_node"](store)
    assert store._reader.arrays.header[SEQUENCE] % 2 == 1
    last, files = 0, contents(first)
    while True:
        copy = restored(tmp_path / "copy", files)
        steps.stop_at(last)
        try:
            FeatureStore(copy, write=True)
        except Killed:
            steps.stop_at(-1)
            assert state(FeatureStore(copy)) == new
        else:
            break
        last += 1
    assert last > 5


@pytest.mark.parametrize("write", [False, True])
def test_arrays_that_never_reached_the_disk(write: bool, tmp_path: Path, steps: Steps) -> None:
    """A loss of power after the journal was synchronised: any of the other files may be as they were."""
    path = tmp_path / "s"
    build(path, directed=False)
    old = contents(path)
    store = FeatureStore(path, write=True)
    for name in ("insert_node", "insert_edges", "delete_edges", "update_features", "delete_node"):
        OPERATIONS[name](store)
    new, files = state(store), contents(path)
    arrays = set(files) - {"journal", "manifest.json", "lock"}
    assert arrays <= set(old)
    assert old["journal"] == b""
    for lost in ({"hops"}, {"nodes"}, {"header"}, arrays):
        copy = restored(tmp_path / "copy", {**files, **{name: old[name] for name in lost}})
        with FeatureStore(copy, write=write) as survivor:
            assert state(survivor) == new
        assert (copy / "journal").stat().st_size == 0


def test_a_journal_that_is_damaged_in_the_middle_of_an_update(tmp_path: Path, steps: Steps) -> None:
    path = tmp_path / "s"
    build(path, directed=False)
    store = FeatureStore(path, write=True)
    steps.stop_at(10)
    with pytest.raises(Killed):
        OPERATIONS["insert_node"](store)
    steps.stop_at(-1)
    assert store._reader.arrays.header[SEQUENCE] % 2 == 1
    content = bytearray((path / "journal").read_bytes())
    content[len(content) // 2] ^= 1
    (path / "journal").write_bytes(content)
    for write in (True, False):
        with pytest.raises(GraphKDError, match="its journal is damaged: build it again"):
            FeatureStore(path, write=write).rows([0])


def test_a_full_disk_is_one_line_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s"
    build(path, directed=False)
    old, store = state(FeatureStore(path)), FeatureStore(path, write=True)

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(disk, "write", full)
        with pytest.raises(GraphKDError, match=r"could not be written \(No space left on device\): make room"):
            store.insert_node([1.0, 2.0], [0])
    with FeatureStore(path, write=True) as store:
        assert state(store) == old
        assert store.insert_node([1.0, 2.0], [0]) == 8


CHILD = """
import itertools, sys
from graphkd.deploy import FeatureStore
store = FeatureStore(sys.argv[1], write=True)
for node in itertools.count(len(store)):
    assert store.insert_node([node, 1.0], [node - 1]) == node
    print(node, flush=True)
"""


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "s"
    FeatureStore.build(path, [[0.0, 1.0]], np.zeros((2, 0), dtype=int), hops=2).close()
    for lines in (3, 40):
        child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        acknowledged = [int(child.stdout.readline()) for _ in range(lines)][-1]
        os.kill(child.pid, signal.SIGKILL)
        child.communicate()
        with FeatureStore(path, write=True) as store:
            size = len(store)
            assert size > acknowledged
            x = np.stack([np.arange(size), np.ones(size)], axis=1)
            ends = np.arange(size - 1)
            edges = np.stack([np.concatenate([ends, ends + 1]), np.concatenate([ends + 1, ends])])
            anew = FeatureStore.build(tmp_path / f"anew{lines}", x, edges, hops=2)
            assert state(store) == state(anew)
