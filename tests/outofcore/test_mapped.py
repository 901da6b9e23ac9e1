"""Tables in files: what is on the list of finished blocks is believed for the same table only."""

from pathlib import Path

import pytest
import torch

from graphkd.outofcore.mapped import MappedTable

SHAPE = (6, 4)


def filled(path: Path) -> torch.Tensor:
    numbers = torch.arange(24.0).view(SHAPE)
    table = MappedTable(path, SHAPE, torch.float32)
    table.tensor[:3] = numbers[:3]
    table.finish("0:3", table.tensor[:3])
    return numbers


def test_the_same_table_finds_its_blocks_again(tmp_path: Path) -> None:
    numbers = filled(tmp_path / "t")
    again = MappedTable(tmp_path / "t", SHAPE, torch.float32)
    assert again.holds("0:3", again.tensor[:3])
    assert torch.equal(again.tensor[:3], numbers[:3])
    assert not again.holds("3:6", again.tensor[3:])


OTHERS = {
    "another shape of as many bytes": ((4, 6), torch.float32),
    "another width": ((12, 2), torch.float32),
    "another type of as many bytes": (SHAPE, torch.int32),
    "half precision of twice as many columns": ((6, 8), torch.bfloat16),
    "the other half precision": ((6, 8), torch.float16),
    "double precision": ((6, 2), torch.float64),
    "more rows": ((7, 4), torch.float32),
    "fewer rows": ((5, 4), torch.float32),
}


@pytest.mark.parametrize("other", OTHERS)
def test_another_table_under_its_name_finds_none(other: str, tmp_path: Path) -> None:
    filled(tmp_path / "t")
    table = MappedTable(tmp_path / "t", *OTHERS[other])
    assert not table.holds("0:3", table.tensor[:3])


@pytest.mark.parametrize("damage", ["a number", "the list", "no list", "no file"])
def test_what_was_changed_since_is_made_again(damage: str, tmp_path: Path) -> None:
    filled(tmp_path / "t")
    path, listed = tmp_path / "t", tmp_path / "t.json"
    if damage == "a number":
        path.write_bytes(b"\x01" + path.read_bytes()[1:])
    elif damage == "the list":
        listed.write_text(listed.read_text()[:-9])
    else:
        (path if damage == "no file" else listed).unlink()
    table = MappedTable(path, SHAPE, torch.float32)
    if damage == "a number":
        with pytest.warns(UserWarning, match="block 0:3 is damaged and made again"):
            assert not table.holds("0:3", table.tensor[:3])
    else:
        assert not table.holds("0:3", table.tensor[:3])
