import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from graphkd import GraphKDError
from graphkd.outofcore import TableStore, table_store

UNIT = 4 * 5
"""Bytes of a row of five columns."""


def numbers(shape: tuple[int, int] = (6, 5)) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def test_without_a_folder_a_table_is_what_was_made_and_nothing_is_copied() -> None:
    table = numbers()
    assert table_store().by_rows("t", (6, 5), table.dtype, lambda part: table, UNIT) is table


@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 20))
def test_blocks_of_any_size_make_the_same_table(
    tmp_path_factory: pytest.TempPathFactory, rows: int, columns: int, budget: int
) -> None:
    whole = numbers((rows, columns))
    sizes: list[int] = []

    def make(part: slice) -> Tensor:
        sizes.append(part.stop - part.start)
        return whole[part]

    with TableStore(tmp_path_factory.mktemp("w"), budget=2 * budget) as space:
        assert table_store() is space
        table = space.by_rows("t", (rows, columns), whole.dtype, make, unit=1)
    assert torch.equal(table, whole)
    assert max(sizes) <= budget
    assert table_store() is not space


def made_of_a_draft(space: TableStore, whole: Tensor, made: list[str], fails_at: int | None = None) -> Tensor:
    """A table in blocks of two rows, each of which reads a draft that is made when the first of them is."""
    drafts: list[Tensor] = []

    def draft(part: slice) -> Tensor:
        made.append(f"draft {part.start}")
        return -whole[part]

    def make(part: slice) -> Tensor:
        if not drafts:
            drafts.append(space.by_rows("draft", (6, 5), whole.dtype, draft, UNIT))
        if part.start == fails_at:
            raise KeyboardInterrupt
        made.append(f"table {part.start}")
        return -drafts[0][part]

    return space.by_rows("t", (6, 5), whole.dtype, make, UNIT)


def test_a_draft_lasts_until_its_table_is_finished(tmp_path: Path) -> None:
    whole, made = numbers(), []
    with TableStore(tmp_path, budget=4 * UNIT) as space, pytest.raises(KeyboardInterrupt):
        made_of_a_draft(space, whole, made, fails_at=2)
    assert made == ["draft 0", "draft 2", "draft 4", "table 0"]
    assert (tmp_path / "t-drafts" / "draft").is_file()
    made.clear()
    with TableStore(tmp_path, budget=4 * UNIT) as space:
        assert torch.equal(made_of_a_draft(space, whole, made), whole)
        assert made == ["table 2", "table 4"]
        assert sorted(file.name for file in tmp_path.iterdir()) == ["t", "t.json"]
        made.clear()
        assert torch.equal(made_of_a_draft(space, 2 * whole, made), 2 * whole)  # the second has a draft of its own
        assert made == ["draft 0", "draft 2", "draft 4", "table 0", "table 2", "table 4"]
    made.clear()
    with TableStore(tmp_path, budget=4 * UNIT) as space:
        assert torch.equal(made_of_a_draft(space, whole, made), whole)
    assert made == []


def test_finished_blocks_are_found_again_and_damaged_ones_are_made_again(tmp_path: Path) -> None:
    whole, made = numbers(), []

    def make(part: slice) -> Tensor:
        made.append(part.start)
        return whole[part]

    def fill() -> Tensor:
        made.clear()
        with TableStore(tmp_path, budget=4 * UNIT) as space:
            return space.by_rows("t", (6, 5), whole.dtype, make, UNIT)

    assert torch.equal(fill(), whole)
    assert made == [0, 2, 4]
    fill()
    assert made == []
    with (tmp_path / "t").open("r+b") as file:
        file.seek(4 * (2 * 5 + 3))  # row 2, column 3
        file.write(b"\xff\x00\xff\x00")
    with pytest.warns(UserWarning, match="block 2:4 is damaged"):
        assert torch.equal(fill(), whole)
    assert made == [2]
    (tmp_path / "t.json").write_text("{")
    assert torch.equal(fill(), whole)
    assert made == [0, 2, 4]
    (tmp_path / "t").write_bytes(b"short")
    assert torch.equal(fill(), whole)
    assert made == [0, 2, 4]


def test_a_table_of_another_stage_or_name_is_not_taken(tmp_path: Path) -> None:
    def fill(folder: str, name: str, value: float) -> Tensor:
        with TableStore(tmp_path / folder, budget=4 * UNIT) as space:
            make = lambda part: torch.full((part.stop - part.start, 5), value)  # noqa: E731
            return space.by_rows(name, (6, 5), torch.float32, make, UNIT).clone()

    places = [(folder, name) for folder in ("teach-1", "teach-2", "compile-1") for name in ("t", "u")]
    for number, (folder, name) in enumerate(places):
        assert fill(folder, name, number).unique().tolist() == [number]
    files = {
        place: [(tmp_path / place[0] / f"{place[1]}{end}").read_bytes() for end in ("", ".json")]
        for place in places
    }
    for number, (folder, name) in enumerate(places):
        for contents in files.values():
            for end, content in zip(("", ".json"), contents, strict=True):
                (tmp_path / folder / f"{name}{end}").write_bytes(content)
            assert fill(folder, name, number).unique().tolist() == [number]


def test_the_second_table_of_a_name_is_another_one(tmp_path: Path) -> None:
    with TableStore(tmp_path, budget=1000) as space:
        first = space.by_rows("t", (6, 5), torch.float32, lambda part: numbers()[part], 20)
        second = space.by_rows("t", (6, 5), torch.float32, lambda part: -numbers()[part], 20)
    assert torch.equal(first, -second)


@pytest.mark.parametrize(("dtype", "within"), [(torch.bfloat16, 2.0**-8), (torch.float16, 2.0**-11)])
def test_rounded_tables_are_within_the_stated_error(tmp_path: Path, dtype: torch.dtype, within: float) -> None:
    whole = numbers((50, 20)) + 0.001
    with TableStore(tmp_path, budget=10_000, dtype=dtype) as space:
        exact = space.by_rows("exact", (50, 20), whole.dtype, lambda part: whole[part], 80)
        kept = space.by_rows("kept", (50, 20), whole.dtype, lambda part: whole[part], 80, rounded=True)
    assert exact.dtype == torch.float32
    assert kept.dtype == dtype
    assert bool(((kept.float() - whole).abs() <= within * whole.abs()).all())


def test_what_float16_cannot_hold_is_refused(tmp_path: Path) -> None:
    big = torch.full((2, 2), 1e5)
    with (
        TableStore(tmp_path, budget=1000, dtype=torch.float16) as space,
        pytest.raises(GraphKDError, match="beyond float16's 65,504: choose table_dtype=bfloat16"),
    ):
        space.by_rows("t", (2, 2), torch.float32, lambda part: big[part], 8, rounded=True)


def test_a_budget_below_one_row_is_refused_with_the_least_one(tmp_path: Path) -> None:
    with (
        TableStore(tmp_path, budget=10**9) as space,
        pytest.raises(GraphKDError, match="memory_budget is 1 GB, .* 't' takes 4 GB: give at least 8"),
    ):
        space.by_rows("t", (5, 10**9), torch.float32, lambda part: numbers(), 4 * 10**9)


def test_a_disk_that_is_full_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with (
        TableStore(tmp_path, budget=1000) as space,
        pytest.raises(GraphKDError, match="has no room for a table of 120 bytes .No space left on device.: free"),
    ):
        space.by_rows("t", (6, 5), torch.float32, lambda part: numbers()[part], 20)


def test_a_process_that_is_killed_leaves_blocks_that_are_whole(tmp_path: Path) -> None:
    code = f"""
        import os, signal, torch
        from graphkd.outofcore import TableStore
        whole = torch.arange(30.0).view(6, 5)
        def make(part):
            if part.start == 3:
                os.kill(os.getpid(), signal.SIGKILL)
            return whole[part]
        with TableStore({str(tmp_path)!r}, budget=40) as space:
            space.by_rows("t", (6, 5), whole.dtype, make, 20)
    """
    script = textwrap.dedent(code).replace(repr(str(tmp_path)), f"__import__('pathlib').Path({str(tmp_path)!r})")
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -signal.SIGKILL
    assert list(json.loads((tmp_path / "t.json").read_text())["blocks"]) == ["0:1", "1:2", "2:3"]
    whole, made = torch.arange(30.0).view(6, 5), []

    def make(part: slice) -> Tensor:
        made.append(part.start)
        return whole[part]

    with TableStore(tmp_path, budget=40) as space:
        assert torch.equal(space.by_rows("t", (6, 5), whole.dtype, make, 20), whole)
    assert made == [3, 4, 5]
