"""Formulas are told from code, and typeset without a script."""

import html
import re

import pytest

from docs.formulas import formula_html, is_formula, is_symbol
from docs.generate.gallery import headline
from graphkd import methods
from graphkd.registry import catalogue


@pytest.mark.parametrize(
    "text",
    ["mean_v CE(z_v, y_v)", "KL(q_j ‖ p_i)", "1 − ρ_j^α", "2 |A°| C", "T = w Q", "D^{-1} A", "p_c^(1/tau)", "q_j"],
)
def test_a_formula_is_recognised(text: str) -> None:
    assert is_formula(text)


@pytest.mark.parametrize(
    "text",
    [
        "training.lr=0.1",
        "lam",
        "warmup",
        "graphkd.methods.Method",
        "label_weight",
        "(x, adj) → [N]",
        "x_data",
        "[N, D]",
    ],
)
def test_code_stays_code(text: str) -> None:
    assert not is_formula(text)


def test_symbols_are_single_letters() -> None:
    assert is_symbol("N C")
    assert not is_symbol("lam")


def test_scripts_are_nested_and_marks_are_escaped() -> None:
    assert formula_html("a_{b^c} < d").removeprefix('<span class="formula">').removesuffix("</span>") == (
        "<i>a</i><sub><i>b</i><sup><i>c</i></sup></sub> &lt; <i>d</i>"
    )


def test_words_and_entities_are_not_letters() -> None:
    assert "<i>" not in formula_html("mean & max")


@pytest.mark.parametrize("name", catalogue(methods))
def test_no_formula_loses_a_character(name: str) -> None:
    formula = headline(catalogue(methods)[name])
    shown = html.unescape(re.sub(r"<[^>]+>", "", formula_html(formula)))
    assert shown == re.sub(r"[_^](\{([^{}]*)\})?", lambda found: found[2] or "", formula).replace("}", "")
