"""Sphinx configuration: ``make docs`` builds the site into ``site/``, offline, with warnings as errors."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent))

import graphkd  # noqa: E402 - found by the line above
from docs.formulas import formula_html, is_formula, is_symbol  # noqa: E402
from docs.generate import GENERATED, generate  # noqa: E402
from docs.generate.links import Site  # noqa: E402

project = "graphkd"
author = "the graphkd authors"
release = version = graphkd.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["generated/contributing/*"]
templates_path = ["_templates"]
nitpicky = False

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
add_module_names = False
python_maximum_signature_line_length = 88
napoleon_numpy_docstring = False
myst_heading_anchors = 3
myst_enable_extensions = ["attrs_inline", "colon_fence"]

html_theme = "pydata_sphinx_theme"
html_title = "graphkd"
html_static_path = ["_static"]
html_css_files = ["graphkd.css"]
html_copy_source = False
html_show_sourcelink = False
html_favicon = "_static/favicon.svg"
html_theme_options = {
    "logo": {"text": "graphkd"},
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "navigation_with_keys": False,
    "pygments_light_style": "github-light",
    "pygments_dark_style": "github-dark",
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
}


def relink(app: Sphinx, name: str, source: list[str]) -> None:
    """Leads links of hand-written pages to other files of the repository to their pages on the site."""
    path = Path(app.env.doc2path(name))
    if path.suffix == ".md" and GENERATED not in path.parents:
        source[0] = Site(DOCS.parent, GENERATED).relinked(source[0], path.parent, path)


def typeset(app: Sphinx, doctree: nodes.document, name: str) -> None:
    """Replaces literals that are formulas by HTML with subscripts; other builders keep the text."""
    if app.builder.format != "html":
        return
    for literal in list(doctree.findall(nodes.literal)):
        symbol = name.startswith(("generated/gallery/", "concepts/")) and is_symbol(literal.astext())
        if symbol or is_formula(literal.astext()):
            literal.replace_self(nodes.raw("", formula_html(literal.astext()), format="html"))


def without_metadata_routing(app: Sphinx, what: str, name: str, *_: Any) -> bool | None:
    """Leaves out the methods that scikit-learn adds to every estimator, whose text refers to its own pages."""
    return True if re.fullmatch(r"set_\w+_request", name) else None


def setup(app: Sphinx) -> dict[str, Any]:
    """Generates pages before Sphinx reads any."""
    generate()
    app.connect("source-read", relink)
    app.connect("autodoc-skip-member", without_metadata_routing)
    app.connect("doctree-resolved", typeset)
    return {"parallel_read_safe": True}
