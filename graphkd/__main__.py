"""``python -m graphkd``, and the command."""

import sys


def main() -> int:
    """Runs the command; also where it is interrupted while its own parts load."""
    try:
        from graphkd.cli import main as run
    except KeyboardInterrupt:
        print("graphkd: interrupted", file=sys.stderr)
        return 130
    return run()


if __name__ == "__main__":
    sys.exit(main())
