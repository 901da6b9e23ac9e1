"""CUDA graphs, CUDA streams and the C library's allocator, as the training loop uses them."""
