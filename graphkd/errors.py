"""The one exception that is shown to a user as one line."""


class GraphKDError(ValueError):
    """A mistake that a user can correct.

    The message is a single line: what is wrong and what to do about it. The command line prints it
    without a traceback and ends with exit status 2. What it quotes may come from a file of somebody else:
    characters that end a line or move a cursor are escaped.

    Args:
        message: the line.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message if message.isprintable() else printable(message))


def printable(text: str) -> str:
    r"""Returns a text with escapes, such as ``\n``, for what cannot be printed.

    >>> printable("a\nb")
    'a\\nb'
    """
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
