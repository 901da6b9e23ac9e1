"""Compiles every Triton kernel for a GPU that need not be here; ``python -m tests.compiled``."""

from __future__ import annotations

from typing import Any

import triton
import triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from graphkd.dropout.rng import GAMMA
from graphkd.kernels import dropout_masks, narrow_gradient, rows, spmm

TARGET = GPUTarget("cuda", 80, 32)
"""An A100."""


def kernels(table: str) -> list[tuple[Any, str, dict[str, Any]]]:
    """Each with the types of its arguments, and its constants."""
    wide, sizes = {"wide": tl.float32}, "i64 i32"
    masks = {"gamma": GAMMA, "numbers": dropout_masks.NUMBERS, **wide}
    gradient = {"narrow_block": 16, "columns": 64, "step": 32}
    return [
        (dropout_masks._forward, f"*{table} *{table} *i64 {sizes}", {**masks, "relu": True}),
        (dropout_masks._backward, f"*{table} *{table} *{table} *i64 *{table} {sizes}", {**masks, "is_told": True}),
        (rows._take, f"*{table} *i64 *{table} i64", {"width": 4, "block": 1024}),
        (rows._reduce, f"*i64 *{table} *{table} i32", {"columns": 4, "step": 64, "total": True, **wide}),
        (rows._reduce, f"*i64 *{table} *{table} i32", {"columns": 4, "step": 64, "total": False, **wide}),
        (
            spmm._kernel,
            f"*i64 *i64 *i64 *{table} *{table} *{table} *i64 i32 i64",
            {"placed": False, "width_of_block": 256, "step": 8, **wide},
        ),
        (narrow_gradient._kernel, f"*{table} *{table} *fp32 {'i64 ' * 3}{'i32 ' * 5}", gradient),
    ]


def main() -> None:
    """All of them, for two types of tables."""
    for table in ("fp32", "bf16"):
        for kernel, types, constants in kernels(table):
            names = [name for name in kernel.arg_names if name not in constants]
            signature = dict(zip(names, types.split(), strict=True)) | dict.fromkeys(constants, "constexpr")
            triton.compile(ASTSource(kernel, signature, constants), target=TARGET)
            print(kernel.__module__, kernel.__name__, table)


if __name__ == "__main__":
    main()
