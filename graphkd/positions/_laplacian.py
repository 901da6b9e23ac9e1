"""Laplacian positions: eigenvectors of the normalised Laplacian, component by component."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from scipy import linalg, sparse
from scipy.sparse import csgraph
from scipy.sparse import linalg as sparse_linalg
from torch import Tensor

from graphkd.checks import is_count
from graphkd.errors import GraphKDError
from graphkd.positions.graph import Floats, Indices, Undirected, check_dim
from graphkd.positions.threads import one_thread
from graphkd.sparse import Adjacency

DENSE = 512
"""Nodes up to which a component's matrix is dense: 2 MB, a tenth of a second."""

TOLERANCE = 1e-7
"""Residual of an eigenvector, relative to the eigenvalue of ``D^-1/2 A D^-1/2``."""

TIE = 1e-6
"""Entries that are closer to the largest magnitude, relatively, count as equal to it in the rule of signs."""


def laplacian(adj: Adjacency, dim: int = 16, seed: int = 0) -> Tensor:
    """Computes eigenvectors of ``I − D^-1/2 A D^-1/2`` of the smallest eigenvalues, without the trivial one.

    Every connected component is a graph of its own: column k of its nodes is the component's eigenvector of the
    k-th smallest eigenvalue above 0, of norm 1 over the component. The eigenvalue 0, whose vector is ``D^1/2 1``
    and holds degrees only, is left out. A component of n nodes has n − 1 such vectors; further columns are 0, and
    all columns of isolated nodes.

    The sign is fixed: in each vector the entry of largest magnitude is positive, of several equal ones (to a
    millionth) the one of the smallest node. Where an eigenvalue occurs more than once, its vectors are one
    orthonormal basis of many.

    Components of up to 512 nodes are solved densely (LAPACK), others by ARPACK's Lanczos iteration with a start
    vector from ``seed``: O((N dim + E) · iterations) time, O(N dim + E) memory. One thread is used: the bits are
    the same on repeated runs and with any number of threads; they may depend on vector instructions.

    Source: Dwivedi et al., Benchmarking Graph Neural Networks, JMLR 2023; Belkin & Niyogi, Laplacian Eigenmaps,
    Neural Computation 2003

    Args:
        adj: the graph, read as undirected (see ``graphkd.positions``); weights are used.
        dim: columns.
        seed: of the start vector.

    Returns:
        ``[N, dim]`` float32 on the CPU.

    Raises:
        GraphKDError: ``dim`` or ``seed`` is no such number, a weight is negative or not finite, or the iteration
            does not converge.
    """
    check_dim(dim)
    if not is_count(seed):
        raise GraphKDError(f"seed of positions is {seed!r}: give a whole number from 0")
    graph = Undirected.of(adj)
    out = np.zeros((graph.num_nodes, dim), dtype=np.float32)
    matrix, strength = graph.symmetric(), graph.strength()
    with one_thread():
        for nodes in _components(graph.matrix):
            part = matrix if nodes.size == graph.num_nodes else matrix[nodes][:, nodes]
            vectors = _smallest(part, np.sqrt(strength[nodes]), dim, seed)
            out[nodes, : vectors.shape[1]] = _signed(vectors)
    return torch.from_numpy(out)


def _components(matrix: sparse.csr_array) -> Iterator[Indices]:
    """Yields the nodes of each component of two or more, ascending."""
    count, label = csgraph.connected_components(matrix, directed=False)
    order = np.argsort(label, kind="stable")
    for nodes in np.split(order, np.bincount(label, minlength=count).cumsum()[:-1]):
        if nodes.size > 1:
            yield nodes


def _smallest(matrix: sparse.csr_array, trivial: Floats, dim: int, seed: int) -> Floats:
    """Returns ``[n, min(dim, n − 1)]``, the eigenvectors of one component's Laplacian, by eigenvalue.

    Args:
        matrix: ``D^-1/2 A D^-1/2``, ``n × n``.
        trivial: ``[n]``, ``D^1/2 1``.
        dim: number of vectors.
        seed: of the start vector.
    """
    count = matrix.shape[0]
    if count <= max(DENSE, 4 * dim):
        dense = np.eye(count) - matrix.toarray()
        return linalg.eigh(dense, subset_by_index=[1, min(dim, count - 1)])[1]  # type: ignore[no-any-return]
    try:
        return _lanczos(matrix, trivial, dim, np.random.default_rng(seed))
    except sparse_linalg.ArpackNoConvergence:
        raise GraphKDError(
            f"the Laplacian's {dim} eigenvectors did not converge: give a smaller dim, or take other positions"
        ) from None


def _lanczos(matrix: sparse.csr_array, trivial: Floats, dim: int, rng: np.random.Generator) -> Floats:
    """Computes what ``_smallest`` returns without a dense matrix.

    A Krylov space holds one vector of each eigenvalue, and others only by rounding. So what was found is taken out
    of the matrix, and the largest eigenvalue of the rest is computed, until it is below those that were found.
    """
    value, vectors = np.ones(1), trivial[:, None] / np.linalg.norm(trivial)
    more, found = _largest(matrix, value, vectors, dim, rng)
    while value.size == 1 or more[0] > value[-1] + TOLERANCE:
        value = np.concatenate([value, more])
        order = np.argsort(-value, kind="stable")[: dim + 1]  # the trivial one's is the largest
        value, vectors = value[order], np.concatenate([vectors, found], axis=1)[:, order]
        more, found = _largest(matrix, value, vectors, 1, rng)
    return vectors[:, 1:]


def _largest(
    matrix: sparse.csr_array, value: Floats, vectors: Floats, wanted: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Returns the largest eigenvalues ``[k]`` and vectors ``[n, k]`` beside those known, which become −1."""

    def product(vector: Floats) -> Floats:
        column = vector.reshape(-1)
        image: Floats = matrix @ column - vectors @ ((1.0 + value) * (vectors.T @ column))
        return image

    count = matrix.shape[0]
    operator = sparse_linalg.LinearOperator(matrix.shape, matvec=product, dtype=np.float64)
    width = min(count, max(4 * wanted + 1, 40))
    start = rng.standard_normal(count)
    more, found = sparse_linalg.eigsh(operator, wanted, which="LA", v0=start, ncv=width, tol=TOLERANCE)
    order = np.argsort(-more, kind="stable")
    return more[order], found[:, order]


def _signed(vectors: Floats) -> Floats:
    magnitude = np.abs(vectors)
    first = (magnitude >= magnitude.max(axis=0) * (1.0 - TIE)).argmax(axis=0)
    return vectors * np.where(vectors[first, np.arange(vectors.shape[1])] < 0, -1.0, 1.0)
