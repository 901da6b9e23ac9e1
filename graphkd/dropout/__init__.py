"""Dropout from counted random bits, alone or joined to ReLU, of one table or of several at once."""

from graphkd.dropout.functional import dropout, relu_dropout, stacked_relu_dropout

__all__ = ["dropout", "relu_dropout", "stacked_relu_dropout"]
