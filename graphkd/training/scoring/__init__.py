"""Logits of many nodes, and scores of a model in a setting."""
