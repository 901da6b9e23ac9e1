"""Experiments are commands, not a package: several have a ``run.py`` and a ``tables.py``."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


def load_run(name: str, file: str = "run") -> ModuleType:
    """``experiments/NAME/FILE.py``; neither it nor what lies beside it stays importable under its own name."""
    folder, before = EXPERIMENTS / name, set(sys.modules)
    spec = importlib.util.spec_from_file_location(f"experiments_{name}_{file}", folder / f"{file}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look themselves up
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        spec.loader.exec_module(module)
    for added in set(sys.modules) - before - {spec.name}:
        if str(getattr(sys.modules[added], "__file__", None) or "").startswith(f"{folder}/"):
            del sys.modules[added]
    return module
