"""Link prediction: graph neural networks and heuristics distilled into MLPs that score pairs of rows."""
