"""Made-up heads whose identity, pose and expression are known."""
