"""Folders and files that documents and make targets name exist: a renamed one is named in many places."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "experiments/**/*.md", "examples/**/*.md")
    for path in ROOT.glob(pattern)
    if path.name != "CHANGELOG.md"
)
PATH = re.compile(r"(?<![\w/.])(?:tests|graphkd|configs|experiments|examples|docs)/[\w./-]*\w(?![\w*<{…])")
LINK = re.compile(r"\]\((?!\w+:|#|[./]*generated/)([^)#\s]+)")
"""Links to pages that only the site has are checked when it is built, by ``docs/check_site.py``."""
# What a reader of CONTRIBUTING is told to add.
ADDED = re.compile(r"/(mine|sharp|test_sharp)\.")


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_make_targets_name_folders_that_exist() -> None:
    """Given: a dry run of the numeric tests. Then: pytest finds everything that it is given."""
    run = subprocess.run(["make", "-n", "test-portable"], cwd=ROOT, capture_output=True, text=True, check=True)
    named = re.findall(r"tests/[\w./]+", run.stdout)
    assert len(named) > 10
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_name_paths_that_exist(document: Path) -> None:
    """Given: a document. Then: its links lead somewhere, and so do the paths that it names."""
    text = document.read_text()
    links = [target for target in LINK.findall(text) if not (document.parent / target).exists()]
    paths = [path for path in PATH.findall(text) if not ((ROOT / path).exists() or ADDED.search(path))]
    assert (links, paths) == ([], [])
