"""What the loop asks of CUDA and of the C library: graphs, streams, memory."""
