"""Pages of files that lie elsewhere in the repository: results, CONTRIBUTING, CHANGELOG, SECURITY."""

from __future__ import annotations

import re
from pathlib import Path

from docs.generate.links import PAGES, Site

ROOT = Path(__file__).parents[2]

RESULTS = """\
# Results

{text}

```{{toctree}}
:hidden:

{pages}
```
"""


def repository_pages(generated: Path) -> dict[str, str | bytes]:
    """Returns the pages of results, sections of CONTRIBUTING, and the files that they link to.

    Args:
        generated: folder of generated pages.
    """
    site = Site(ROOT, generated)
    pages: dict[str, str | bytes] = {page: site.page(file, page) for file, page in PAGES.items()}
    pages |= {f"contributing/{name}.md": text for name, text in _sections(site).items()}
    questions = sorted(path.parent.name for path in (ROOT / "experiments").glob("*/README.md"))
    index = site.page("experiments/README.md", "results/index.md").partition("\n")[2]
    entries = "\n".join(f"{name} <{name}>" for name in questions)
    pages["results/index.md"] = RESULTS.format(text=index.strip(), pages=entries)
    pages |= {f"results/{name}.md": _result(site, name) for name in questions}
    for notebook in sorted((ROOT / "examples" / "notebooks").glob("*.ipynb")):  # linked to by hand-written pages
        site.link(notebook.relative_to(ROOT).as_posix(), "index.md", notebook.name)
    return {**pages, **site.copied}


def _sections(site: Site) -> dict[str, str]:
    """Sections of CONTRIBUTING by their titles in lower case; a how-to page includes one without its title."""
    text = site.page("CONTRIBUTING.md", "contributing/section.md")
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    return {_slug(name): body.strip() + "\n" for name, body in zip(parts[::2], parts[1::2], strict=True)}


def _slug(name: str) -> str:
    return re.sub(r"\W+", "-", name.lower()).strip("-")


def _result(site: Site, name: str) -> str:
    """Returns a README with its committed tables at the end."""
    page = f"results/{name}.md"
    tables = sorted(path.name for path in (ROOT / "experiments" / name).glob("*.csv"))
    files = [f"- {site.link(f'experiments/{name}/{table}', page, table)}" for table in tables]
    listed = "\n".join(["", "## Files", "", *files, ""]) if files else ""
    return site.page(f"experiments/{name}/README.md", page) + listed
