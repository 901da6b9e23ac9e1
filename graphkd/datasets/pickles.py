"""Reads Planetoid's pickles without giving them the right to run anything."""

from __future__ import annotations

import pickle
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from graphkd.errors import GraphKDError

_RECONSTRUCT = np.zeros(0).__reduce__()[0]


def _encode(text: str, _encoding: str) -> bytes:
    """How Python 3 writes bytes into a pickle that Python 2 can read; no other codec is reached."""
    return text.encode("latin1")


_ALLOWED: dict[tuple[str, str], Any] = {
    ("collections", "defaultdict"): defaultdict,
    ("builtins", "list"): list,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("scipy.sparse.csr", "csr_matrix"): scipy.sparse.csr_matrix,
    ("scipy.sparse._csr", "csr_matrix"): scipy.sparse.csr_matrix,
    ("_codecs", "encode"): _encode,
}


class _Restricted(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module.replace("__builtin__", "builtins"), name]
        except KeyError:
            raise GraphKDError(f"it names {module}.{name}, which no Planetoid file needs") from None


def read_pickle(path: Path) -> Any:
    """The object in a pickle that consists of numpy arrays, scipy CSR matrices, lists and dicts only.

    Args:
        path: a file written by Python 2 or 3.

    Raises:
        GraphKDError: the file names anything else, or is damaged.
    """
    try:
        with path.open("rb") as file:
            return _Restricted(file, encoding="latin1").load()
    except GraphKDError as error:
        raise GraphKDError(f"{path} is not read: {error}") from None
    except Exception as error:  # a damaged pickle can fail in any way
        raise GraphKDError(f"{path} is damaged ({type(error).__name__}): fetch it again") from None
