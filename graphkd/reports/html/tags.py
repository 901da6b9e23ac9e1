"""Elements of HTML and SVG, in which every text is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence


class Html(str):
    """Text that is HTML already."""


def tag(name: str, *children: str, **attributes: str | float | None) -> Html:
    """Formats an element.

    Args:
        name: of the element.
        children: elements, or texts, which are escaped.
        attributes: ``class_`` is ``class``, ``stroke_width`` is ``stroke-width``; None is left out.

    >>> tag("td", "a < b", class_="name", title=None)
    '<td class="name">a &lt; b</td>'
    """
    texts = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(_number(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{texts}>{joined(children)}</{name}>")


def joined(children: Iterable[str], between: str = "") -> Html:
    """Joins elements and texts, which are escaped."""
    return Html(between.join(each if isinstance(each, Html) else html.escape(each) for each in children))


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool], kind: str | None = None
) -> Html:
    """Formats a table that scrolls where the page is too narrow for it.

    Args:
        head: names of the columns.
        rows: cells, elements or texts.
        numeric: whether each column is aligned to the right.
        kind: class of the table.
    """
    classes = ["number" if each else None for each in numeric]
    lines = [("th", head), *(("td", row) for row in rows)]
    parts = [
        tag("tr", *(tag(cell, text, class_=of) for text, of in zip(texts, classes, strict=True)))
        for cell, texts in lines
    ]
    inside = tag("table", tag("thead", parts[0]), tag("tbody", *parts[1:]), class_=kind)
    return tag("div", inside, class_="wide")


def _number(value: str | float) -> str:
    """Formats numbers with at most two decimals, which are enough for a pixel."""
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
