import pickle
import subprocess
import sys

import pytest

from graphkd.errors import GraphKDError, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ± → −", "plain ± → −"),
        ("a\nb", "a\\nb"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\rb\tc", "a\\rb\\tc"),
        ("\u202eabc", "\\u202eabc"),
        ("\ud800", "\\ud800"),
        ("\0", "\\x00"),
        ("\u2028", "\\u2028"),
    ],
)
def test_what_ends_a_line_or_moves_a_cursor_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown == str(GraphKDError(text))
    assert str(pickle.loads(pickle.dumps(GraphKDError(text)))) == shown


def test_an_ascii_console_shows_the_table() -> None:
    """± is in every table of several seeds."""
    code = "from graphkd.cli import _prepare_output; _prepare_output(); print('81 \u00b1 2')"
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", code],
        capture_output=True,
        env={"PYTHONIOENCODING": "ascii", "PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin"},
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"81 ? 2\n", b"")
