"""Loading of a bundle into a predictor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from graphkd.deploy.files import Bundle, holds_links, read_bundle
from graphkd.deploy.row_predictor import Engine, RowPredictor
from graphkd.errors import GraphKDError
from graphkd.registry import unknown

if TYPE_CHECKING:
    from graphkd.deploy.predictor import Predictor
    from graphkd.links import LinkPredictor

RUNTIMES = ("torch", "numpy", "onnx", "onnx-int8", "native", "native-int8")
"""Runtimes of ``load_bundle``; all but the first work without torch."""


@overload
def load_bundle(path: str | Path, runtime: Literal["torch"] = "torch") -> Predictor: ...
@overload
def load_bundle(path: str | Path, runtime: str) -> Predictor | RowPredictor: ...


def load_bundle(path: str | Path, runtime: str = "torch") -> Any:
    """Loads a bundle as a predictor that needs no graph library.

    Args:
        path: a ``bundle`` folder, a run folder that contains one, or a repository of the Hugging Face hub,
            ``hf://OWNER/NAME`` or ``hf://OWNER/NAME@REVISION``, which is downloaded into the hub's cache.
        runtime: one of ``RUNTIMES``.

    Returns:
        A predictor on the CPU: ``predict``, ``predict_proba`` and ``prepare`` are the same in all runtimes, but
        only the torch runtime propagates rows over a graph. Of a run of links a ``graphkd.links.LinkPredictor``,
        in the torch runtime alone.

    Raises:
        GraphKDError: there is no bundle, it cannot be downloaded, a file of it was truncated or modified, its
            schema version differs, or a requirement of the runtime is missing.

    >>> import tempfile, graphkd
    >>> data = graphkd.load_dataset("digits")
    >>> run = graphkd.distill(data, training=graphkd.Training(max_epochs=20), baseline=False)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run.save(folder + "/run")
    ...     model = load_bundle(folder + "/run", runtime="numpy")
    >>> model.predict(data.x[:3].numpy()).shape
    (3,)
    """
    if runtime not in RUNTIMES:
        raise GraphKDError(unknown("runtime", runtime, list(RUNTIMES)))
    if holds_links(path):
        return _links(path, runtime)
    bundle = read_bundle(path)
    with _described(bundle):
        return _torch(bundle) if runtime == "torch" else _without_torch(bundle, runtime)


def _links(path: str | Path, runtime: str) -> LinkPredictor:
    if runtime != "torch":
        raise GraphKDError(f"{path} scores pairs of nodes, with runtime=torch alone: leave runtime={runtime} out")
    from graphkd.links import load_predictor

    return load_predictor(path)


def row_predictor(bundle: Bundle, runtime: str) -> RowPredictor:
    """Builds the predictor of an already read bundle in one of the runtimes that work without torch.

    Raises:
        GraphKDError: a requirement of the runtime is missing.
    """
    with _described(bundle):
        return _without_torch(bundle, runtime)


@contextmanager
def _described(bundle: Bundle) -> Iterator[None]:
    try:
        yield
    except GraphKDError:
        raise
    except Exception as error:  # the files are intact, but not what this version writes
        text = " ".join(repr(error).split())
        raise GraphKDError(f"{bundle.folder} does not describe a student ({text}): export it again") from None


def _torch(bundle: Bundle) -> Predictor:
    try:
        from graphkd.deploy.bundle import torch_predictor
    except ModuleNotFoundError as error:
        raise GraphKDError(
            f"runtime=torch needs torch and safetensors, and there is no {error.name}: pip install torch "
            'safetensors, or load_bundle(…, runtime="numpy")'
        ) from None
    return torch_predictor(bundle)


def _without_torch(bundle: Bundle, runtime: str) -> RowPredictor:
    width = int(bundle.description["student"]["arguments"]["num_features"])
    return RowPredictor(bundle, width, _engine(bundle, runtime))


def _engine(bundle: Bundle, runtime: str) -> Engine:
    from graphkd.deploy.network import check_one_pass, network_of

    kind, _, precision = runtime.partition("-")
    if kind != "numpy":
        check_one_pass(bundle, f"runtime={runtime}")
    if kind == "native":
        from graphkd.deploy.runtimes.native import native_engine

        return native_engine(bundle, precision == "int8")
    if kind == "onnx":
        from graphkd.deploy.runtimes.onnx import bundle_engine

        return bundle_engine(bundle, runtime)
    from graphkd.deploy.runtimes.plain import plain_engine

    return plain_engine(network_of(bundle))
