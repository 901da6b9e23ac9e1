from pathlib import Path

import numpy as np
import pytest
import torch

from graphkd import GraphKDError
from graphkd.datasets.ogb.facts import PARTS
from graphkd.datasets.validate import MASKS
from tests.datasets.ogb.graphs import load, place

NAME = "ogbn-papers100M"


def ids_of(data) -> dict[str, np.ndarray]:
    return {part: data[mask].nonzero().reshape(-1).numpy() for part, mask in zip(PARTS, MASKS, strict=True)}


def put(folder: Path, value) -> None:
    for file in (folder / "split" / "time").iterdir():
        file.unlink()
    torch.save(value, folder / "split" / "time" / "split_dict.pt")


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor, lambda ids: ids.astype(np.int32)])
def test_an_archive_of_arrays_or_tensors_is_the_same_split(kind, tmp_path: Path) -> None:
    data, folder = place(tmp_path, NAME)
    put(folder, {part: kind(ids) for part, ids in ids_of(data).items()})
    ours = load(tmp_path, NAME)
    assert all(torch.equal(ours[mask], data[mask]) for mask in MASKS)


class Trap:
    """A pickle that runs something when it is loaded."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


def test_nothing_in_it_can_run(tmp_path: Path) -> None:
    data, folder = place(tmp_path, NAME)
    put(folder, {**ids_of(data), "trap": Trap(tmp_path / "sprung")})
    with pytest.raises(GraphKDError, match="split_dict.pt is damaged or holds more than arrays") as refusal:
        load(tmp_path, NAME)
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "sprung").exists()


def test_an_archive_without_a_part(tmp_path: Path) -> None:
    data, folder = place(tmp_path, NAME)
    put(folder, {"train": ids_of(data)["train"]})
    with pytest.raises(GraphKDError, match="holds more than arrays .KeyError: 'valid'"):
        load(tmp_path, NAME)
