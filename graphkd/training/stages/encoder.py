"""Fitting of the encoder of a student's inputs; positions, which take minutes, are a stage of the cache."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from graphkd.atomic_io import sha256_of
from graphkd.datasets import Graph, SettingView
from graphkd.encoders import Encoding, Positions
from graphkd.spec import DistillSpec, settings_of
from graphkd.training.stages.stage_cache import (
    StageCache,
    StageResult,
    arithmetic,
    cache_for,
    code_digest,
    computed_on_rank0,
)

POSITION = ("kind", "dim", "walks", "length", "window", "negatives", "epochs", "p", "q", "seed")
"""Settings that positions depend on; what stands beside them is computed from the features."""


def fit_encoder(graph: Graph, spec: DistillSpec, seed: int, cache: StageCache | None = None) -> Encoding:
    """Fits the encoder of a spec on the observed graph; reads no label.

    Args:
        graph: the observed one.
        spec: names the encoder.
        seed: of the run.
        cache: where positions are saved, and loaded from.
    """
    encoder = spec.inputs
    if not isinstance(encoder, Positions):
        return encoder.fit(graph, seed)
    # A run asks for its baselines and, without features, for its teacher, too.
    name = f"positions {[getattr(encoder, setting) for setting in POSITION]}"
    vectors = graph.adj.matrix.kept(name, lambda: _positions(graph, encoder, spec, cache_for(spec, cache)))
    return encoder.encoding(graph.adj, vectors)


def _positions(graph: Graph, encoder: Positions, spec: DistillSpec, cache: StageCache) -> Tensor:
    """Returns positions ``[n, dim]``, from the cache or computed."""
    key = _key(graph, encoder, spec)
    fit = functools.partial(_computed, graph, encoder, cache.scratch_file("positions", key))
    result = cache.stage("positions", key, lambda: computed_on_rank0(fit))
    return result.tensors["positions"].to(graph.y.device)


def with_positions(view: SettingView, encoding: Encoding) -> SettingView:
    """Returns the view of a graph without features, whose nodes have positions in their place.

    A hidden node has the mean of its observed neighbours' positions, on the full graph alone.
    """
    observed, full = view.observed, view.full
    positions = encoding.table(observed.x, observed.adj)
    others = encoding.table(full.x, full.adj, view.numbers)
    return replace(view, observed=replace(observed, x=positions), full=replace(full, x=others))


def _computed(graph: Graph, encoder: Positions, checkpoint: Path | None) -> StageResult:
    return StageResult({"positions": encoder.compute(graph.adj, checkpoint)}, {})


def _key(graph: Graph, encoder: Positions, spec: DistillSpec) -> dict[str, Any]:
    """All that positions depend on: edges alone, so that other labels or features change nothing."""
    edges = graph.adj.matrix
    parts = (edges.rowptr, edges.col, edges.value)
    return {
        "edges": sha256_of([part.cpu().contiguous().numpy() for part in parts]),
        **{name: settings_of(encoder)[name] for name in POSITION},
        "device": arithmetic(graph.y.device),
        "code": code_digest(spec.installed),
    }
