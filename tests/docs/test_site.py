"""Links lead to pages of the site, and the built site is checked."""

from pathlib import Path

import pytest

from docs.check_site import faults
from docs.generate.links import Site

ROOT = Path(__file__).parents[2]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A repository with a result and a table."""
    for file in ("experiments/speed/README.md", "experiments/speed/all.csv", "docs/files.md", "graphkd/api.py"):
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return Site(tmp_path, tmp_path / "docs" / "generated")


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("[speed](../speed/README.md)", "[speed](speed.md)"),
        ("[files](../../docs/files.md#csv)", "[files](../../files.md#csv)"),
        ("[all](all.csv)", "[all](../files/experiments/speed/all.csv)"),
        ("[the code](../../graphkd/api.py)", "the code (`graphkd/api.py`)"),
        ("[api.py](../../graphkd/api.py)", "`graphkd/api.py`"),
        ("[home](../../README.md)", "[home](../../index.md)"),
        ("[rules](../../CONTRIBUTING.md)", "[rules](../contributing.md)"),
        ("[elsewhere](https://example.org/a)", "[elsewhere](https://example.org/a)"),
        ("[below](#part)", "[below](#part)"),
    ],
)
def test_links_of_a_result_lead_to_pages(site: Site, link: str, expected: str) -> None:
    folder, page = site.root / "experiments" / "speed", site.generated / "results" / "speed.md"
    assert site.relinked(f"See {link}.", folder, page) == f"See {expected}."


def test_links_of_a_hand_written_page_are_relative_to_it(site: Site) -> None:
    page = site.root / "docs" / "files.md"
    shown = site.relinked("[speed](../experiments/speed/README.md)", page.parent, page)
    assert shown == "[speed](generated/results/speed.md)"


def test_a_table_that_a_page_links_to_is_copied(site: Site) -> None:
    site.page("experiments/speed/README.md", "results/speed.md")
    site.link("experiments/speed/all.csv", "results/speed.md", "all")
    assert site.copied == {"files/experiments/speed/all.csv": b"x"}


PAGE = '<h1 id="top">A</h1><a href="other.html#{anchor}">b</a><img src="{image}"><script src="{script}"></script>'


@pytest.mark.parametrize(
    ("anchor", "image", "script", "expected"),
    [
        ("top", "a.png", "a.png", []),
        ("down", "a.png", "a.png", ["index.html: no other.html#down"]),
        ("top", "b.png", "a.png", ["index.html: no b.png"]),
        ("top", "a.png", "https://cdn.example/a.js", ["index.html: fetches https://cdn.example/a.js"]),
    ],
)
def test_broken_links_and_foreign_scripts_are_found(
    anchor: str, image: str, script: str, expected: list[str], tmp_path: Path
) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "other.html").write_text('<h2 id="top">B</h2>')
    (tmp_path / "index.html").write_text(PAGE.format(anchor=anchor, image=image, script=script))
    assert faults(tmp_path) == expected
