"""The help of ``graphkd distill`` is the reference of its keys."""

import pytest

from graphkd.commands.distill_help import help_text, plain_text
from graphkd.config import groups, names_in
from graphkd.config_reference import config_reference

LINES = help_text().splitlines()


def test_every_key_has_a_line_with_its_type_and_default() -> None:
    words = [line.split() for line in LINES]
    for section in config_reference():
        for key in section.keys:
            assert [key.name, *key.type.split(), key.default] in [
                line[: len(key.type.split()) + 2] for line in words
            ]


@pytest.mark.parametrize("group", groups())
def test_a_group_comes_with_its_names(group: str) -> None:
    assert f"{group}={' | '.join(names_in(group))}" in " ".join(" ".join(LINES).split())


def test_a_meaning_takes_one_line() -> None:
    assert max(map(len, LINES)) <= 120
    assert any(line.endswith("…") for line in LINES)


def test_marks_of_docstrings_are_left_out() -> None:
    assert plain_text("``mean`` and ``max``") == "mean and max"
    assert "``" not in "\n".join(LINES)
