"""The notebooks run from first to last cell; they are stored without outputs and linked from the tutorials."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest

from tests.test_readme import few_epochs  # noqa: F401 - a fixture

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "examples" / "notebooks"
NAMES = sorted(path.name for path in FOLDER.glob("*.ipynb"))


def cells(name: str, kind: str) -> list[dict[str, Any]]:
    book = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    return [cell for cell in book["cells"] if cell["cell_type"] == kind]


@pytest.mark.slow
@pytest.mark.usefixtures("few_epochs")
@pytest.mark.filterwarnings("ignore::UserWarning")  # five epochs learn little, of which graphkd warns
@pytest.mark.parametrize("name", NAMES)
def test_all_cells_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(FOLDER.parent / "visitors", tmp_path / "visitors")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    names: dict[str, Any] = {"__name__": "__main__"}
    with mpl.rc_context({"backend": "agg"}):
        for number, cell in enumerate(cells(name, "code")):
            exec(compile("".join(cell["source"]), f"{name}, cell {number}", "exec"), names)
    assert list((tmp_path / "notebooks").iterdir()) == [], "files are written to a temporary folder"


@pytest.mark.parametrize("name", NAMES)
def test_no_outputs_are_stored_and_texts_come_first(name: str) -> None:
    code, texts = cells(name, "code"), cells(name, "markdown")
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert len({cell["id"] for cell in code + texts}) == len(code + texts)
    assert texts[0]["source"][0].startswith("# ")
    for cell in code:
        compile("".join(cell["source"]), name, "exec")


def test_the_tutorials_link_to_every_notebook() -> None:
    page = (ROOT / "docs" / "tutorials" / "index.md").read_text()
    assert sorted(Path(link).name for link in re.findall(r"\(([^)]+\.ipynb)\)", page)) == NAMES
