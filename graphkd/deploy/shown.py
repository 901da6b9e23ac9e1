"""How a predictor shows itself."""

from __future__ import annotations

import html
from typing import Any


def facts_of(card: dict[str, Any], num_features: int, classes: list[Any] | None, runtime: str) -> dict[str, str]:
    """Returns what a predictor is, by heading; what is not on record is left out.

    Args:
        card: of the bundle.
        num_features: of raw rows.
        classes: names, or None.
        runtime: that answers.
    """
    named = "" if classes is None else f"{len(classes)}: {', '.join(map(str, classes[:5]))}"
    test = card.get("student_scores", {}).get("test")
    facts = {
        "method": card.get("method", ""),
        "trained on": " · ".join(str(card[key]) for key in ("dataset", "split", "setting") if key in card),
        "features": str(num_features),
        "classes": f"{named}, …" if classes is not None and len(classes) > 5 else named,
        "test score": "" if test is None else f"{100 * test:.2f} %",
        "runtime": runtime,
    }
    return {name: text for name, text in facts.items() if text}


def as_text(kind: str, facts: dict[str, str]) -> str:
    """Formats facts as one line.

    >>> as_text("Predictor", {"method": "glnn", "features": "64"})
    'Predictor(method: glnn; features: 64)'
    """
    return f"{kind}({'; '.join(f'{name}: {text}' for name, text in facts.items())})"


def as_html(kind: str, facts: dict[str, str]) -> str:
    """Formats facts as a table in HTML."""
    rows = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(text)}</td></tr>" for name, text in facts.items()
    )
    return f"<table><caption>{html.escape(kind)}</caption><tbody>{rows}</tbody></table>"
