from pathlib import Path

import pytest

from graphkd.places import lies_in, same_place
from tests.spellings import spellings

NONE = ("new.csv", "sub/new.csv", "nowhere/in.csv", "sub/deep/in.csv", "../in.csv")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path / "a")


def test_one_file_has_many_spellings(tmp_path: Path) -> None:
    file = tmp_path / "a" / "in.csv"
    file.write_text("x")
    (tmp_path / "a" / "other.csv").write_text("x")
    for one in spellings(file):
        for other in [*NONE, "other.csv"]:
            assert not same_place(Path(one), Path(other))
        for other in (str(file), "in.csv", "link.csv", "hard.csv", "sub/../in.csv"):
            assert same_place(Path(one), Path(other)), (one, other)


def test_a_file_that_is_not_there_yet_has_as_many(tmp_path: Path) -> None:
    file = tmp_path / "a" / "out.csv"
    file.write_text("x")
    names = [name for name in spellings(file) if not name.startswith(("hard", "sub/out"))]
    file.unlink()
    for one in names:
        assert same_place(Path(one), file), one
        assert not same_place(Path(one), Path("other.csv"))
    for name in ("round.csv", "about.csv"):
        Path(name).symlink_to({"round.csv": "about.csv", "about.csv": "round.csv"}[name])
    assert same_place(Path("round.csv"), Path("round.csv"))
    assert not same_place(Path("round.csv"), Path("out.csv"))


def test_what_lies_in_a_folder(tmp_path: Path) -> None:
    Path("run/data/deep").mkdir(parents=True)
    Path("beside").mkdir()
    Path("run/out").symlink_to(tmp_path / "a" / "beside")
    Path("in").symlink_to("run/data")
    for place in ("run", "run/data", "run/data/deep", "run/new/one", "in/deep", "in", "run/../run/data", "in/.."):
        assert lies_in(Path(place), Path("run")), place
    for place in ("beside", "run/..", "runs", "run2/data", "run/out/x", "in/../../x"):
        assert not lies_in(Path(place), Path("run")), place
