"""Readers in other processes see whole versions."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from graphkd import GraphKDError
from graphkd.deploy import FeatureStore
from graphkd.deploy.store import disk
from tests.test_locks import in_a_child

READER = """
import sys
import numpy as np
from graphkd.deploy import FeatureStore
store, seen = FeatureStore(sys.argv[1]), set()
first = store._reader.arrays.layout.number
print("ready", flush=True)
while len(seen) < 60 or store._reader.arrays.layout.number < first + 2:
    rows = store.rows(store.nodes)
    value = rows[0, 0]
    assert np.allclose(rows, value, rtol=1e-5, atol=0), "half an update"
    assert float(value) >= max(seen, default=0), "an older version"
    seen.add(float(np.rint(value)))
print("done", flush=True)
"""


def test_a_reader_never_sees_half_an_update(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a ring every row of Ã sums to 1: where all features are c, so is every entry of every hop."""
    monkeypatch.setattr(disk.os, "fsync", lambda handle: None)
    size = 64
    ends, following = np.arange(size), (np.arange(size) + 1) % size
    edges = np.stack([np.concatenate([ends, following]), np.concatenate([following, ends])])
    store = FeatureStore.build(tmp_path / "s", np.ones((size, 16)), edges, hops=2, pooling="concat")
    command = [sys.executable, "-c", READER, str(tmp_path / "s")]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    value = 1.0
    while child.poll() is None:
        if len(store) < 2000:
            store.insert_node(np.full(16, value))
        value += 1
        store.update_features(store.nodes, np.full((len(store), 16), value))
    out, errors = child.communicate()
    assert (out, child.returncode) == ("done\n", 0), errors


def test_a_second_writer_is_refused_and_a_reader_cannot_write(tmp_path: Path) -> None:
    store = FeatureStore.build(tmp_path / "s", np.eye(2), [[0, 1], [1, 0]], hops=1)
    code = "import sys; from graphkd.deploy import FeatureStore; FeatureStore(sys.argv[1], write=True)"
    other = [sys.executable, "-c", code, str(tmp_path / "s")]
    done = subprocess.run(other, capture_output=True, text=True, check=False)
    assert "is being written by another process: a store has one writer" in done.stderr
    reader = FeatureStore(tmp_path / "s")
    with pytest.raises(GraphKDError, match="is open for reading: open it with write=True"):
        reader.delete_node(0)
    assert store.insert_node([1.0, 1.0], [0]) == 2
    assert reader.nodes.tolist() == [0, 1, 2]
    store.close()
    with pytest.raises(GraphKDError, match="was closed, or an update of it was cut short"):
        store.delete_node(0)
    assert subprocess.run(other, check=False).returncode == 0


def test_a_forked_process_does_not_write_to_its_parent_s_store(tmp_path: Path) -> None:
    store = FeatureStore.build(tmp_path / "s", np.eye(2), [[0, 1], [1, 0]], hops=1)
    store.insert_node([1.0, 1.0], [0])
    journal = (tmp_path / "s" / "journal").read_bytes()
    assert journal

    def refused() -> bool:
        for change in (
            lambda: store.insert_node([1.0, 2.0]),
            lambda: store.delete_node(0),
            lambda: store.insert_edges([[0], [1]]),
            lambda: store.delete_edges([[0, 1], [1, 0]]),
            lambda: store.update_features(0, [1.0, 2.0]),
        ):
            with pytest.raises(GraphKDError, match="is written by the process that this one was forked from"):
                change()
        with pytest.raises(GraphKDError, match="is being written by another process"):
            FeatureStore(tmp_path / "s", write=True)
        assert len(store) == len(FeatureStore(tmp_path / "s")) == 3
        with store:
            pass
        return (tmp_path / "s" / "journal").read_bytes() == journal

    with store._writer._mutex:  # a thread of the parent is in the middle of an update
        assert in_a_child(refused)
    assert store.insert_node([2.0, 2.0], [0, 1]) == 3
    store.verify()
    store.close()


def test_a_reader_who_may_not_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a writer that lives he reads; what a killed one left he cannot complete, and says so."""
    path = tmp_path / "s"
    store = FeatureStore.build(path, np.eye(2), [[0, 1], [1, 0]], hops=1)
    store.insert_node([1.0, 1.0], [0])

    def forbidden(place: Path) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(disk, "Lock", forbidden)
        for _ in range(10):
            assert len(FeatureStore(path)) == len(store)
            store.insert_node([1.0, 2.0], store.nodes[:2])
        with pytest.raises(GraphKDError, match=r"cannot be written \(Permission denied\)"):
            FeatureStore(path, write=True)
        reader = FeatureStore(path)
        store._writer._release()  # as if it were killed
        assert len(reader) == 13
        message = "holds an update that a killed process did not finish, and cannot be written: open it once as a"
        for _ in range(2):
            with pytest.raises(GraphKDError, match=message):
                FeatureStore(path)
        (path / "lock").unlink()
        with pytest.raises(GraphKDError, match=message):
            FeatureStore(path)
    assert len(FeatureStore(path)) == 13
