"""Methods whose combinations are run in the default tier; those of the others stand in the slow one."""

import pytest

from graphkd import methods
from graphkd.registry import catalogue

CORE = ("glnn", "infgrand", "krd", "ff_g2m")
"""A folded method, one of other inputs, one whose targets move, one that reads edges in every step."""

EVERY = [name if name in CORE else pytest.param(name, marks=pytest.mark.slow) for name in catalogue(methods)]
