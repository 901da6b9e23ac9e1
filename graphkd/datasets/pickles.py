"""Reader of Planetoid's pickles that does not execute anything that they reference.

A pickle is a program for a stack machine. The interpreter here supports the opcodes that Planetoid's files
contain, and has a builder for each class that they reference: no numpy object receives a state from a file,
since a state of ``numpy.dtype`` can turn bytes of the file into addresses.
"""

from __future__ import annotations

import math
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import scipy.sparse

from graphkd.errors import GraphKDError
from graphkd.io.sparse import check_sparse

_NUMBERS = re.compile(r"[biuf][1248]")
"""Dtype codes that a file may contain."""


class _Part:
    """An object that a file references, before it is built."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments
        self.state: Any = None

    def build(self) -> Any:
        """Builds the object.

        Raises:
            ValueError: Planetoid's files do not contain such an object.
        """
        raise ValueError(f"{type(self).__name__.strip('_').lower()} has no value of its own")


class _Dtype(_Part):
    def build(self) -> np.dtype[Any]:
        code, order = self.arguments[0], (self.state or (3, "="))[1]
        if not isinstance(code, str) or not _NUMBERS.fullmatch(code) or order not in ("<", ">", "=", "|"):
            raise ValueError(f"dtype {code!r} is none of numbers")
        return np.dtype(code if order == "|" else f"{order}{code}")


class _Ndarray(_Part):
    """The class ``ndarray``, as an argument of ``_reconstruct``."""


class _Reconstruct(_Part):
    def build(self) -> np.ndarray[Any, Any]:
        _, shape, dtype, by_columns, content = self.state
        content = content.encode("latin1") if isinstance(content, str) else content
        kind = dtype.build()
        if not all(type(size) is int and size >= 0 for size in shape) or len(shape) > 2:
            raise ValueError("an array's shape is none")
        if len(content) != math.prod(shape) * kind.itemsize:
            raise ValueError("an array's content has another size than its shape")
        return np.frombuffer(content, kind).reshape(shape, order="F" if by_columns else "C")


class _Csr(_Part):
    def build(self) -> Any:
        state = self.state
        data, indices, indptr = (state[name].build() for name in ("data", "indices", "indptr"))
        shape = tuple(state["_shape"] if "_shape" in state else state["shape"])
        matrix = scipy.sparse.csr_matrix((data, indices, indptr), shape=shape)
        check_sparse(matrix, "a matrix")
        return matrix


class _Defaultdict(_Part):
    """A mapping of nodes to their neighbours, built entry by entry."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.entries: dict[Any, Any] = {}

    def __setitem__(self, key: Any, value: Any) -> None:
        if type(key) is not int:  # hashing nested keys has no recursion limit
            raise ValueError("a node is no whole number")
        self.entries[key] = value

    def build(self) -> dict[int, list[int]]:
        for ends in self.entries.values():
            if type(ends) is not list or not all(type(end) is int for end in ends):
                raise ValueError("neighbours are no list of whole numbers")
        return self.entries


class _List(_Part):
    """The class ``list``, as an argument of ``defaultdict``."""


class _Encode(_Part):
    """The call by which Python 3 encodes bytes for Python 2; no other codec is reachable."""


_NAMES: dict[str, type[_Part]] = {
    "collections.defaultdict": _Defaultdict,
    "builtins.list": _List,
    "numpy.ndarray": _Ndarray,
    "numpy.dtype": _Dtype,
    "numpy.core.multiarray._reconstruct": _Reconstruct,
    "numpy._core.multiarray._reconstruct": _Reconstruct,
    "scipy.sparse.csr.csr_matrix": _Csr,
    "scipy.sparse._csr.csr_matrix": _Csr,
    "_codecs.encode": _Encode,
}

_OPCODES = """
    PROTO FRAME STOP GLOBAL STACK_GLOBAL REDUCE BUILD NEWOBJ MARK TUPLE EMPTY_TUPLE TUPLE1 TUPLE2 TUPLE3
    EMPTY_LIST LIST APPEND APPENDS EMPTY_DICT DICT SETITEM SETITEMS NONE NEWTRUE NEWFALSE
    INT LONG LONG1 BININT BININT1 BININT2 STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE
    BINBYTES SHORT_BINBYTES PUT BINPUT LONG_BINPUT GET BINGET LONG_BINGET MEMOIZE
"""
_KNOWN = {getattr(pickle, name)[0] for name in _OPCODES.split()}


class _Machine(pickle._Unpickler):
    """The standard library's pure Python interpreter, restricted to fewer opcodes."""

    stack: list[Any]
    pop_mark: Callable[[], list[Any]]
    append: Callable[[Any], None]

    dispatch: ClassVar[dict[int, Any]] = {
        code: load for code, load in pickle._Unpickler.dispatch.items() if code in _KNOWN
    }

    def __init__(self, file: Any, size: int) -> None:
        super().__init__(file, encoding="latin1")
        self.left = size

    def find_class(self, module: str, name: str) -> type[_Part]:
        part = _NAMES.get(f"{module.replace('__builtin__', 'builtins')}.{name}")
        if part is None:
            raise GraphKDError(f"it names {module}.{name}, which no Planetoid file needs")
        return part

    def make(self) -> None:
        """Handles opcodes that call an object: creates a builder and calls nothing else."""
        arguments = self.stack.pop()
        value = self.stack[-1](*arguments)
        if isinstance(value, _Encode):
            value = arguments[0].encode("latin1")
            self.left -= len(value)
            if self.left < 0:
                raise ValueError("it holds more bytes than the file")
        self.stack[-1] = value

    def keep_state(self) -> None:
        """Handles the opcode that sets the state of an object."""
        state = self.stack.pop()
        if not isinstance(self.stack[-1], _Part):
            raise ValueError("a state without an object")
        self.stack[-1].state = state

    def set_item(self) -> None:
        """Sets one entry; see ``set_items``."""
        value, key = self.stack.pop(), self.stack.pop()
        _put(self.stack[-1], key, value)

    def set_items(self) -> None:
        """Sets entries of a mapping or of a state."""
        items = self.pop_mark()
        for key, value in zip(items[::2], items[1::2], strict=True):
            _put(self.stack[-1], key, value)

    def make_dict(self) -> None:
        """Builds a mapping from the items on the stack."""
        items = self.pop_mark()
        mapping: dict[Any, Any] = {}
        for key, value in zip(items[::2], items[1::2], strict=True):
            _put(mapping, key, value)
        self.append(mapping)

    dispatch |= {
        pickle.REDUCE[0]: make,
        pickle.NEWOBJ[0]: make,
        pickle.BUILD[0]: keep_state,
        pickle.SETITEM[0]: set_item,
        pickle.SETITEMS[0]: set_items,
        pickle.DICT[0]: make_dict,
    }


def _put(mapping: Any, key: Any, value: Any) -> None:
    if not isinstance(mapping, _Defaultdict) and not (type(mapping) is dict and type(key) is str):
        raise ValueError("an entry without a mapping")
    mapping[key] = value


def read_pickle(path: Path) -> Any:
    """Reads a pickle of Planetoid: a numpy array, a scipy CSR matrix, or a mapping of nodes to neighbours.

    Args:
        path: a file written by Python 2 or 3.

    Raises:
        GraphKDError: the file references another object, or is damaged.
    """
    try:
        with path.open("rb") as file:
            part = _Machine(file, path.stat().st_size).load()
            return part.build()
    except GraphKDError as error:
        raise GraphKDError(f"{path} is not read: {error}") from None
    except Exception as error:  # damaged pickles raise many types
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise GraphKDError(f"{path} is damaged ({reason}): fetch it again") from None
