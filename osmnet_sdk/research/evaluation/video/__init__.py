"""Clips that drive themselves, drawn by each renderer."""
