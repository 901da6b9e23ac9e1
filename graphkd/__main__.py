"""Entry point of ``python -m graphkd`` and of the ``graphkd`` command."""

import sys


def main() -> int:
    """Runs the command; an interrupt during its imports is handled as well."""
    try:
        from graphkd.cli import main as run
    except KeyboardInterrupt:
        print("graphkd: interrupted", file=sys.stderr)
        return 130
    return run()


if __name__ == "__main__":
    sys.exit(main())
