import warnings
from pathlib import Path

import pytest
import safetensors.torch
import torch

from graphkd.datasets.ogb.parsed import load_parsed, parsed_file, save_parsed


def paths(folder: Path) -> list[Path]:
    """Places of what was read from three versions of a file, two names and two codes."""
    found = []
    for content in ("1", "22", "333"):
        raw = folder / "raw.csv"
        raw.write_text(content)
        found.append(parsed_file(folder, "a", [raw], "code"))
    return [*found, parsed_file(folder, "b", [raw], "code"), parsed_file(folder, "a", [raw], "new")]


def test_what_was_read_from_other_files_is_not_taken(tmp_path: Path) -> None:
    places = paths(tmp_path)
    assert len({*places}) == 5
    for number, place in enumerate(places):
        save_parsed(place, {"x": torch.tensor([number])})
    contents = [place.read_bytes() for place in places]
    for number, place in enumerate(places):
        for given, content in enumerate(contents):
            place.write_bytes(content)
            if given == number:
                found = load_parsed(place)
                assert found is not None
                assert found["x"].tolist() == [number]
            else:
                with pytest.warns(UserWarning, match="is damaged .it was read from other files.: the raw files"):
                    assert load_parsed(place) is None
        place.write_bytes(contents[number])
    assert sorted(file.name for file in (tmp_path / "parsed").iterdir()) == sorted(place.name for place in places)


def test_a_damaged_file_is_read_again_and_an_older_one_taken(tmp_path: Path) -> None:
    place = paths(tmp_path)[0]
    assert load_parsed(place) is None
    save_parsed(place, {"x": torch.arange(9)})
    content = place.read_bytes()
    for at in range(0, len(content), 7):
        place.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = load_parsed(place)
        assert found is None or torch.equal(found["x"], torch.arange(9))
        assert (found is None) == bool(caught)
    place.write_bytes(content)
    with safetensors.safe_open(str(place), "pt") as file:
        metadata = file.metadata()
    del metadata["name"]
    safetensors.torch.save_file({"x": torch.arange(9)}, place, metadata)
    assert load_parsed(place) is not None
