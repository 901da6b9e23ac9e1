"""Methods whose combinations are run in the default tier; those of the others stand in the slow one."""

import pytest

from graphkd import methods, transforms
from graphkd.registry import catalogue

CORE = ("glnn", "infgrand", "krd", "ff_g2m")
"""A folded method, one of other inputs, one whose targets move, one that reads edges in every step."""

SHORT_TRANSFORMS = {"angular_views": transforms.AngularViews(views=3, epochs=2)}
"""In place of those that would train for long."""

TAUGHT = [
    name if name == "glnn" else pytest.param(name, marks=pytest.mark.slow)
    for name, part in catalogue(methods).items()
    if part.has_teacher
]
"""Those that read a teacher, GLNN alone in the default tier, for what hardly depends on the method."""

EVERY = [name if name in CORE else pytest.param(name, marks=pytest.mark.slow) for name in catalogue(methods)]
