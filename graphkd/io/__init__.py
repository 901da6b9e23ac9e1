"""Readers that convert users' files and values to checked arrays; training and serving share them. numpy only."""
