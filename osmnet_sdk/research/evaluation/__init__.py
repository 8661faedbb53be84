"""Measures against real recordings."""
