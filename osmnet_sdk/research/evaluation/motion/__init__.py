"""Takes against what real speakers do."""
