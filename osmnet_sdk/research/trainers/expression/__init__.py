"""Training of the Expression Feature Extractor."""
