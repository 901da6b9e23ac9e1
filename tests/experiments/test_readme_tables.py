"""The tables of the studies' READMEs are those of the committed rows."""

import pytest

from tests.experiments.loading import EXPERIMENTS, load_run

STUDIES = sorted(
    file.parent.name for file in EXPERIMENTS.glob("*/tables.py") if "readme.rewrite(" in file.read_text()
)


def test_the_studies_are_found() -> None:
    assert {"balance", "ladder", "methods", "temperature", "views"} <= set(STUDIES)


@pytest.mark.slow
@pytest.mark.parametrize("study", STUDIES)
def test_tables_are_those_of_the_committed_rows(study: str) -> None:
    tables = load_run(study, "tables")
    text = (EXPERIMENTS / study / "README.md").read_text()
    assert f"<!-- tables -->\n\n{tables.committed()}\n\n<!-- end of tables -->" in text
