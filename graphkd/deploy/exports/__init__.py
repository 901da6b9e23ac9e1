"""A student in other forms: a file per format, each written into its bundle after a check on real rows."""
