"""Predicted lips and brows against labels, tracks and pictures."""
