"""The calls of `OSMNet`, by what they are about."""
