"""Checks of Python, graphkd, and its required and optional packages."""

from __future__ import annotations

import importlib
import platform
import re
from dataclasses import dataclass
from importlib import metadata

from graphkd import __version__
from graphkd.doctor.line import Line, reason

PYTHON = "3.11"


@dataclass(frozen=True)
class Package:
    """A package as listed in ``pyproject.toml``.

    Args:
        name: of the distribution.
        least: the oldest supported version.
        module: the module to import.
        use: what an optional one is for, and how to get it; empty for a required one.
    """

    name: str
    least: str
    module: str
    use: str = ""


REQUIRED = (
    Package("torch", "2.6", "torch"),
    Package("torch-geometric", "2.6", "torch_geometric"),
    Package("numpy", "1.26", "numpy"),
    Package("ogb", "1.3.6", "graphkd.datasets.ogb.readers"),
    Package("scipy", "1.12", "scipy"),
    Package("scikit-learn", "1.4", "sklearn"),
    Package("pandas", "2.0", "pandas"),
    Package("networkx", "3.2", "networkx"),
    Package("hydra-core", "1.3.2", "hydra"),
    Package("safetensors", "0.4.5", "safetensors"),
    Package("threadpoolctl", "3.1", "threadpoolctl"),
    Package("tqdm", "4.66", "tqdm"),
)

OPTIONAL = (
    Package(
        "torch-scatter",
        "2.1.2",
        "torch_scatter",
        "optional, a sparse backend to compare with: pip install --no-build-isolation torch-scatter",
    ),
    Package("pyarrow", "14", "pyarrow", "optional, for parquet files: pip install 'graphkd[parquet]'"),
    Package("duckdb", "2.0", "duckdb", "optional, for edges in parquet parts: pip install 'graphkd[ingest]'"),
    Package("ray", "2.40", "ray", "optional, for cluster=ray: pip install 'graphkd[ray]'"),
    Package("matplotlib", "3.8", "matplotlib", "optional, for plots: pip install 'graphkd[plot]'"),
    *(
        Package(name, least, name, "optional, for graphkd export --to onnx: pip install 'graphkd[onnx]'")
        for name, least in (("onnx", "1.18"), ("onnxruntime", "1.20"), ("onnxscript", "0.7.2"))
    ),
    *(
        Package(name, least, module, "optional, for graphkd serve: pip install 'graphkd[serve]'")
        for name, least, module in (
            ("fastapi", "0.165", "fastapi"),
            ("httptools", "0.6.3", "httptools"),
            ("prometheus-client", "0.20", "prometheus_client"),
            ("uvicorn", "0.54", "uvicorn"),
            ("uvloop", "0.21", "uvloop"),
        )
    ),
    Package(
        "huggingface_hub",
        "1.0",
        "huggingface_hub",
        "optional, for hf:// bundles: pip install 'graphkd[hub]'",
    ),
    Package("optuna", "4.0", "optuna", "optional, for graphkd tune: pip install 'graphkd[tune]'"),
    Package("POT", "0.9", "ot", "optional, for matching=emd: pip install 'graphkd[emd]'"),
    Package("pymetis", "2025.2", "pymetis", "optional, for partitioner=metis: pip install 'graphkd[metis]'"),
)


def versions() -> list[Line]:
    """Returns lines with the versions of Python and graphkd."""
    python = platform.python_version()
    old = _older(python, PYTHON)
    text = f"{python}, graphkd needs {PYTHON} or newer: make another environment" if old else python
    return [Line("broken" if old else "ok", "python", text), Line("ok", "graphkd", __version__)]


def look_at(package: Package) -> list[Line]:
    """Checks that a package is installed, recent enough and can be imported; returns one line."""
    name, requirement = package.name, f"'{package.name}>={package.least}'"
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return [Line("missing", name, package.use or f"not installed: pip install {requirement}")]
    if _older(version, package.least):
        text = f"{version}, graphkd needs {package.least} or newer: pip install --upgrade {requirement}"
        return [Line("broken", name, text)]
    try:
        importlib.import_module(package.module)
    except Exception as error:  # such as a build for another torch, or a missing library
        advice = package.use or f"pip install --force-reinstall {requirement}"
        return [Line("broken", name, f"{version} cannot be imported ({reason(error)}): {advice}")]
    return [Line("ok", name, version)]


def _older(version: str, least: str) -> bool:
    return _numbers(version) < _numbers(least)


def _numbers(version: str) -> list[int]:
    release = re.match(r"\d+(\.\d+)*", version)
    return [int(part) for part in release[0].split(".")] if release else []
