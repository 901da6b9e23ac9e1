"""Subcommands of ``graphkd``, one module each, imported when called."""
