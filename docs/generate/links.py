"""Links between files of the repository → links between pages of the site."""

from __future__ import annotations

import os
import re
from pathlib import Path

_LINK = re.compile(r"(!?)\[([^\]\[]*)\]\(([^)\s]+)\)")
FILES = (".csv", ".ipynb", ".png", ".svg")
"""Files that are copied to the site where a page links to them."""

PAGES = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md", "SECURITY.md": "security.md"}
"""Pages of files at the root of the repository, below ``generated``."""


class Site:
    """Where files of the repository are found on the site.

    Args:
        root: of the repository.
        generated: folder of generated pages, below ``docs``.

    Attributes:
        copied: files that pages link to, by their path below ``generated``.
    """

    def __init__(self, root: Path, generated: Path) -> None:
        self.root, self.generated = root, generated
        self.copied: dict[str, str | bytes] = {}

    def page(self, file: str, page: str) -> str:
        """Returns a Markdown file of the repository for its page: relative links lead to pages, or become text.

        Args:
            file: path in the repository.
            page: path of the page below ``generated``.
        """
        source = self.root / file
        text = source.read_text().replace(" ± ", "\u00a0±\u00a0")  # a mean and its spread stay on one line
        return self.relinked(text, source.parent, self.generated / page)

    def relinked(self, text: str, folder: Path, page: Path) -> str:
        """Returns a text of one folder with its relative links rewritten for a page.

        Args:
            text: Markdown.
            folder: that its links are relative to.
            page: path of the page.
        """
        relative = page.relative_to(self.generated).as_posix() if self.generated in page.parents else ""

        def rewritten(found: re.Match[str]) -> str:
            image, shown, target = found.groups()
            if target.startswith(("#", "http://", "https://", "mailto:")):
                return found[0]
            path, hash_, anchor = target.partition("#")
            inside = Path(os.path.normpath(folder / path)).relative_to(self.root).as_posix()
            return image + self.link(inside, relative or page, shown, hash_ + anchor)

        return _LINK.sub(rewritten, text)

    def link(self, file: str, page: str | Path, shown: str, anchor: str = "") -> str:
        """Returns a link from a page to a file of the repository, or its path where the site has no such page.

        Args:
            file: path in the repository.
            page: path of the page, below ``generated`` if relative.
            shown: text.
            anchor: with its ``#``.
        """
        target = self._home(file)
        if target is None:
            return f"`{file}`" if shown in (file, Path(file).name) else f"{shown} (`{file}`)"
        start = (self.generated / page).parent
        return f"[{shown}]({Path(os.path.relpath(target, start)).as_posix()}{anchor})"

    def _home(self, file: str) -> Path | None:
        """Returns the path of what stands for a file on the site; a table or picture is copied."""
        path = Path(file)
        if path.parts[0] == "docs":
            return self.root / file
        if path.suffix in FILES and (self.root / file).is_file():
            self.copied[f"files/{file}"] = (self.root / file).read_bytes()
            return self.generated / "files" / file
        if path.name == "README.md" and path.parts[0] == "experiments":
            name = path.parent.name if len(path.parts) > 2 else "index"
            return self.generated / "results" / f"{name}.md"
        if file == "README.md":
            return self.root / "docs" / "index.md"
        return self.generated / PAGES[file] if file in PAGES else None
