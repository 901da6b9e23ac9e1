"""Pages that are made from the code and from committed results when the site is built.

Nothing here lists parts by hand: names come from ``graphkd.registry.catalogue``, keys from
``graphkd.config_reference``, commands from the parsers, scores from the tables of ``experiments/``.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from docs.generate.api import api_pages
from docs.generate.command_line import command_line_page
from docs.generate.configuration import configuration_page
from docs.generate.gallery import gallery_pages
from docs.generate.repository import repository_pages

DOCS = Path(__file__).parents[1]
GENERATED = DOCS / "generated"


def generate() -> int:
    """Writes every generated page below ``docs/generated``, and returns their number."""
    pages = {
        **gallery_pages(),
        **api_pages(),
        "configuration.md": configuration_page(),
        "command_line.md": command_line_page(),
        **repository_pages(GENERATED),
    }
    shutil.rmtree(GENERATED, ignore_errors=True)
    for name, content in pages.items():
        path = GENERATED / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return len(pages)
