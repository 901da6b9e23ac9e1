"""What the ``graphkd`` command does, one file a subcommand; imported when called."""
