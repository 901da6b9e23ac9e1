"""Checks a built site: every link leads somewhere, and nothing is fetched from elsewhere.

python docs/check_site.py site
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
"""Elements whose attribute a browser fetches by itself; what ``a`` refers to is fetched on a click."""


@dataclass
class Page(HTMLParser):
    """Links, fetched files and anchors of a page.

    Args:
        path: of its file.
    """

    path: Path
    links: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    words: int = 0
    inside_code: int = 0

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collects what an element refers to, and its id."""
        given = {name: value for name, value in attrs if value}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in FETCHED and FETCHED[tag] in given:
            self.fetched.append(given[FETCHED[tag]])
        self.inside_code += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        """Leaves a script or style."""
        self.inside_code -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        """Counts words."""
        self.words += 0 if self.inside_code else len(data.split())


def faults(site: Path) -> list[str]:
    """Returns a line per link that leads nowhere, and per file that would be fetched from elsewhere.

    Args:
        site: folder of the built site.
    """
    pages = pages_of(site)
    return [line for page in pages.values() for line in _faults(page, site, pages)]


def pages_of(site: Path) -> dict[Path, Page]:
    """Returns the pages of a site by the path of their file, without the templates of its theme."""
    files = [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]
    return {path.resolve(): Page(path) for path in files}


def _faults(page: Page, site: Path, pages: dict[Path, Page]) -> list[str]:
    name = page.path.relative_to(site)
    outside = [target for target in page.fetched if urlsplit(target).netloc]
    found = [f"{name}: fetches {target}" for target in outside]
    inside = [target for target in (*page.links, *page.fetched) if not urlsplit(target).scheme]
    return found + [f"{name}: no {target}" for target in inside if not _exists(page, target, pages)]


def _exists(page: Page, target: str, pages: dict[Path, Page]) -> bool:
    parts = urlsplit(target)
    path = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path.resolve()
    if not path.exists() or not parts.fragment or path not in pages:
        return path.exists()
    return unquote(parts.fragment) in pages[path].anchors


if __name__ == "__main__":
    lines, found = faults(Path(sys.argv[1])), pages_of(Path(sys.argv[1])).values()
    print("\n".join(lines) or f"{len(found)} pages, {sum(page.words for page in found):,} words, no broken link")
    sys.exit(bool(lines))
