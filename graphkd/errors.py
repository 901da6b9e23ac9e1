"""The one exception that is shown to a person as one line."""


class GraphKDError(ValueError):
    """A mistake that a person can correct.

    The message is a single line: what is wrong and what to do about it. The command line prints it
    without a traceback and ends with exit status 2.
    """
