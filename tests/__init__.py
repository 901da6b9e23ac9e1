"""Where there is no device Triton's kernels are interpreted; triton reads this when it is first imported."""

import os

import torch

if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")
