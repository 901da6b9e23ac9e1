"""Triton kernels, imported where they are used: triton comes with torch's CUDA builds only."""
