"""Killed at any moment, the same call ends with the same bytes and leaves nothing else behind."""

import importlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphkd.ingest import MappedGraph, csr, ingest_folder, plan, stages
from tests.ingest.tables import frames, write_parts
from tests.memory import FRESH

pytest.importorskip("duckdb")

SECOND = 60
"""More renames than an ingest of these tables has."""


def ingest(parts: Path, output: Path) -> None:
    plan.CHUNK, plan.MERGE = 2.5e7, 2.5e7  # 10 edges with weights at once
    ingest_folder(parts, output, directed=True, memory_budget=0.5)


def _die(*_: object, **__: object) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def before_rename(number: int) -> None:
    """Kills this process instead of its rename of this number, and has it write half a file before."""
    left, rename, replace = [number], os.rename, os.replace

    def counted(change: Callable[..., None]) -> Callable[..., None]:
        def changed(old: Any, new: Any, **options: Any) -> None:
            left[0] -= 1
            if left[0] == 0:
                _die()
            change(old, new, **options)

        return changed

    os.rename, os.replace = counted(rename), counted(replace)


def in_the_lookup(_: int) -> None:
    stages.forward_run = _die


def in_the_last_file(_: int) -> None:
    csr._finish = _die


def forked(at: Callable[[int], None], number: int, parts: Path, output: Path) -> int:
    """Ingests in a fork of this process, in which no thread has been started, and returns how it ended."""
    if child := os.fork():
        return os.waitpid(child, 0)[1]
    at(number)
    ingest(parts, output)
    os._exit(0)


def series(parts: Path, folder: Path) -> None:
    """Kills an ingest at one point after the other, each into a folder of its own, and repeats it undisturbed."""
    for module in ("duckdb", "pyarrow.parquet"):  # once, not in every fork
        importlib.import_module(module)
    assert forked(before_rename, 0, parts, folder / "whole") == 0
    points = [(in_the_lookup, 0), (in_the_last_file, 0), *((before_rename, number) for number in range(1, SECOND))]
    for at, number in points:
        output = folder / f"{at.__name__}-{number}" / "out"
        output.parent.mkdir()
        if forked(at, number, parts, output) != signal.SIGKILL:
            break
        (output.parent.with_suffix(".left")).write_text(str(output.exists()))
        assert forked(before_rename, 0, parts, output) == 0


def in_a_process(target: Callable[..., Any], *args: Any) -> int | None:
    process = FRESH.Process(target=target, args=args)
    process.start()
    process.join()
    return process.exitcode


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*"))}


def drawn(kind: str, folder: Path) -> Path:
    generator = np.random.default_rng(3)
    ends, weight = generator.integers(0, 15, (2, 30)), generator.random(30)
    return write_parts(folder / "parts", *frames(kind, 20, ends, weight))


@pytest.mark.parametrize("kind", ["none", pytest.param("string", marks=pytest.mark.slow)])
def test_a_second_call_ends_with_the_same_bytes(kind: str, tmp_path: Path) -> None:
    assert in_a_process(series, drawn(kind, tmp_path), tmp_path) == 0
    expected, left = contents(tmp_path / "whole"), sorted(tmp_path.glob("*.left"))
    assert 10 < len(left) < SECOND
    for note in left:
        assert note.read_text() == "False"
        assert contents(note.with_suffix("") / "out") == expected
        assert [path.name for path in note.with_suffix("").iterdir()] == ["out"]


def test_it_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = drawn("string", tmp_path)
    assert in_a_process(forked, before_rename, 5, parts, tmp_path / "out") == 0
    finished = list((tmp_path / ".out.work/forward").glob("*.run"))
    assert finished
    made, run = [], stages.forward_run
    monkeypatch.setattr(stages, "forward_run", lambda *args: made.append(1) or run(*args))
    monkeypatch.setattr(plan, "CHUNK", 2.5e7)
    graph = ingest_folder(parts, tmp_path / "out", directed=True, memory_budget=0.5)
    assert len(made) == len(stages.edge_table(parts / "edges").chunks(10)) - len(finished)
    assert MappedGraph.open(tmp_path / "out") == graph
