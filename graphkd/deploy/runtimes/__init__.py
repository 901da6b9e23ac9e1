"""Engines that run a student without torch: one module per runtime, imported only when it is selected."""
