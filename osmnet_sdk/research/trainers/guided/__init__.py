"""Training of the guided generator."""
