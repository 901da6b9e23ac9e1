"""Sentences of the model card."""

from __future__ import annotations

SETTINGS = {
    "transductive": "training sees all nodes and edges of the graph, those of validation and test included.",
    "production": (
        "a fifth of the test nodes is hidden with all its edges until the evaluation; `test` weighs hidden test "
        "nodes with one fifth and visible ones with four fifths."
    ),
    "inductive": (
        "a fifth of the test nodes is hidden with all its edges until the evaluation, and nodes outside of the "
        "three masks are left out; `test` is the score of the hidden nodes."
    ),
    "cold_start": (
        "a fifth of the test nodes is hidden until the evaluation, where it has no edges either; `test` is the "
        "score of the hidden nodes."
    ),
}
"""Setting → what it means."""

SCORES = {
    "val": "validation nodes",
    "test": "test nodes, as the setting weighs them",
    "test_ind": "hidden test nodes",
    "test_tran": "visible test nodes",
    "test_macro_f1": "mean over classes of their F1 scores on test nodes",
    "test_balanced_accuracy": "mean over classes of their shares of test nodes that are right",
    "test_worst_class_accuracy": "the smallest of these shares",
    "test_ece": "expected calibration error on test nodes; less is better",
    "test_brier": "Brier score on test nodes, from 0 to 2; less is better",
}
"""Score → what it is of, in the order of a table."""

ADD_ONS = ("transform", "calibration", "balance", "term")
"""Add-ons that a card may name."""

NO_PLAIN = "No plain MLP was trained beside it: what distillation adds here is not known."

LIMITS = {
    "graphs": "The scores hold for nodes of this graph and this split. Other graphs were not tried.",
    "fairness": "Differences between groups of nodes were not measured, beyond the scores above.",
    "drift": "How the scores change when features, classes or links change over time was not measured.",
    "privacy": "A model may give away what it was trained on; no attack was tried against it.",
    "positions": "A node that was not in training has the mean of its known neighbours' vectors, or zeros.",
    "influence": "Node weights in training were computed from the whole graph, hidden nodes included.",
    "teacher": "The teacher was given, and may have been trained with nodes that the setting hides.",
    "license": "Unless the field `license` above states one, the author has not said how this may be used.",
}
"""What is not known, or has to be known, of a student."""
