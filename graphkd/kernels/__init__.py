"""Triton kernels, imported lazily: triton is installed only with torch's CUDA builds."""
