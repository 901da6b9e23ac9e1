"""``python -m graphkd``."""

import sys

from graphkd.cli import main

sys.exit(main())
