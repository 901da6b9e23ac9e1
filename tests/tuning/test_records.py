from pathlib import Path

import pytest

from graphkd import GraphKDError
from graphkd.tuning.candidate import Candidate, Result
from graphkd.tuning.records import FILE, Records

SETTINGS = {"seed": 0, "reads": "x", "shapes": [[2, 64]]}
CANDIDATE = Candidate(0, ("method=glnn",), "student", "start", {"shape": 1}, ("teacher=gcn",))
RESULT = Result(0, 3, 0.75, 1.5)


def test_what_was_recorded_is_read_again(tmp_path: Path) -> None:
    records = Records(tmp_path / "new", SETTINGS)
    records.add_round("student", 0, [CANDIDATE])
    records.add_results([RESULT, Result(1, 0, None, 0.1, "no")], elapsed=12.5)
    records.add_fact("teachers", [["teacher=gcn"]])
    again = Records(tmp_path / "new", SETTINGS)
    assert again.rounds == {("student", 0): [CANDIDATE]}
    assert again.results == [RESULT, Result(1, 0, None, 0.1, "no")]
    assert (again.facts, again.elapsed) == ({"teachers": [["teacher=gcn"]]}, 12.5)


def test_a_line_that_was_cut_off_is_removed(tmp_path: Path) -> None:
    records = Records(tmp_path, SETTINGS)
    records.add_results([RESULT], elapsed=1.0)
    file = tmp_path / FILE
    whole = file.read_bytes()
    for cut in (1, 20):
        file.write_bytes(whole + b'{"results": [{"number": 7, "seed": 0}]}'[:-cut])
        assert Records(tmp_path, SETTINGS).results == [RESULT]
        assert file.read_bytes() == whole


@pytest.mark.parametrize("change", [{"seed": 1}, {"shapes": [[2, 64], [2, 128]]}, {"more": 1}])
def test_another_search_in_the_folder_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    Records(tmp_path, SETTINGS)
    with pytest.raises(GraphKDError, match="holds a search with .*choose another output_dir"):
        Records(tmp_path, {**SETTINGS, **change})


@pytest.mark.parametrize("content", ["[1\n", "nothing\n"])
def test_a_damaged_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(GraphKDError, match="is damaged"):
        Records(tmp_path, SETTINGS)
