"""Dropout from counter-based random bits, alone or fused with ReLU, on one tensor or a stack of tensors."""

from graphkd.dropout.functional import dropout, relu_dropout, stacked_relu_dropout

__all__ = ["dropout", "relu_dropout", "stacked_relu_dropout"]
