"""The exceptions whose message is shown to the user as one line."""

from __future__ import annotations


class GraphKDError(ValueError):
    """An error that a user can correct.

    The message is a single line: what is wrong and what to do about it. The command line prints it
    without a traceback and exits with status 2. It may quote an untrusted file: characters that end a line
    or move the cursor are escaped.

    Args:
        message: the line.

    >>> import graphkd
    >>> try:
    ...     graphkd.load_dataset("digit")
    ... except GraphKDError as error:
    ...     print(str(error)[:44])
    unknown dataset 'digit': did you mean 'digit
    """

    def __init__(self, message: str) -> None:
        super().__init__(message if message.isprintable() else printable(message))


class RowError(GraphKDError):
    """An error in one row of a table; its message names the row and the column.

    Args:
        message: the line.
        row: index of the row.
        column: name of the column, or None if the error is not in one column.
    """

    def __init__(self, message: str, row: int, column: str | None = None) -> None:
        super().__init__(message)
        self.row, self.column = row, column

    def __reduce__(self) -> tuple[type[RowError], tuple[str, int, str | None]]:
        """Returns the constructor's arguments, for pickles."""
        return RowError, (str(self), self.row, self.column)


def printable(text: str) -> str:
    r"""Returns a text with unprintable characters escaped, such as ``\n``.

    >>> printable("a\nb")
    'a\\nb'
    """
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
