"""The exception whose message is shown to the user as one line."""


class GraphKDError(ValueError):
    """An error that a user can correct.

    The message is a single line: what is wrong and what to do about it. The command line prints it
    without a traceback and exits with status 2. It may quote an untrusted file: characters that end a line
    or move the cursor are escaped.

    Args:
        message: the line.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message if message.isprintable() else printable(message))


def printable(text: str) -> str:
    r"""Returns a text with unprintable characters escaped, such as ``\n``.

    >>> printable("a\nb")
    'a\\nb'
    """
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
