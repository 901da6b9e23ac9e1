"""What an argument means is read from docstrings."""

from graphkd.docstrings import arguments_of, summary_of


class Base:
    """A base.

    Args:
        weight: of the
            term.
        lr: learning rate.
    """


class Part(Base):
    """A part,
    on two lines.

    Source: no paper

    Args:
        lr: of the part.

            Another paragraph.
        layer: which.

    Raises:
        ValueError: never.
    """


def test_arguments_of_a_base_class_are_inherited() -> None:
    assert arguments_of(Part) == {
        "weight": "of the term.",
        "lr": "of the part. Another paragraph.",
        "layer": "which.",
    }


def test_a_function_without_a_docstring_describes_no_arguments() -> None:
    assert arguments_of(lambda x: x) == {}


def test_the_summary_is_the_first_paragraph_on_one_line() -> None:
    assert summary_of(Part) == "A part, on two lines."
