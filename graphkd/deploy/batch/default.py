"""Default runtime."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil

from graphkd.deploy.files import Bundle


def default_runtime(bundle: Bundle) -> str:
    """Returns the fastest usable runtime in single precision: of the exports, else torch, else numpy.

    On dense rows the compiled C file is about twice as fast as torch on one core (experiments/batch_scoring).
    """
    if "c" in bundle.exports and shutil.which((shlex.split(os.environ.get("CC") or "cc") or ["cc"])[0]):
        return "native"
    if "onnx" in bundle.exports and importlib.util.find_spec("onnxruntime"):
        return "onnx"
    return "torch" if importlib.util.find_spec("torch") else "numpy"
