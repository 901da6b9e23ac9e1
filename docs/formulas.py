"""Formulas in docstrings and pages: Unicode text → HTML with subscripts and superscripts, no script needed."""

from __future__ import annotations

import html
import re

_MARKS = re.compile(
    r"°|^[A-Za-z] = |[·‖Σ∈²³√←≤≥≠∝⊙∘∩∪ᵀ⟨⟩]|[α-ωΑ-Ω]|[A-Za-z]\u0303| − |[_^]\{|[)\]]\^"
    r"|\b[A-Za-z]_[a-z]{1,2}\b"
)
"""What code does not contain: operators, Greek letters, a minus sign, ``z_v``: one letter before the subscript."""

_CODE = re.compile(r"^[\w.]+=\S|→|^[a-z]{2}[a-z_]*$|[a-z]\.[a-z]|//")
"""What formulas do not contain: settings, calls, file names, dotted names."""

_SCRIPT = re.compile(r"([_^])(\{[^{}]*\}|-?[\w°*]+)")
_LETTER = re.compile(r"(?<![\w&])([A-Za-z])(?![A-Za-z])")
_TAGS = {"_": "sub", "^": "sup"}


def is_formula(text: str) -> bool:
    """Whether literal text is a formula rather than code.

    >>> is_formula("mean_v CE(z_v, y_v)"), is_formula("training.lr=0.1"), is_formula("lam")
    (True, False, False)
    """
    return bool(_MARKS.search(text)) and not _CODE.search(text)


def is_symbol(text: str) -> bool:
    """Whether literal text is one letter, or several with spaces between them, such as ``N C``."""
    return bool(re.fullmatch(r"[A-Za-z](?: [A-Za-z])*", text))


def formula_html(text: str) -> str:
    """Returns a formula as HTML: ``x_v`` with a subscript, single letters in italics.

    >>> formula_html("z_v²")
    '<span class="formula"><i>z</i><sub><i>v</i></sub>²</span>'
    """
    return f'<span class="formula">{_scripted(" ".join(text.split()))}</span>'


def _scripted(text: str) -> str:
    """Converts what stands before, in and after every script, from the left."""
    parts, start = [], 0
    for found in _SCRIPT.finditer(text):
        inside = found[2][1:-1] if found[2].startswith("{") else found[2]
        tag = _TAGS[found[1]]
        parts += [_letters(text[start : found.start()]), f"<{tag}>{_scripted(inside)}</{tag}>"]
        start = found.end()
    return "".join([*parts, _letters(text[start:])])


def _letters(text: str) -> str:
    return _LETTER.sub(r"<i>\1</i>", html.escape(text, quote=False))
