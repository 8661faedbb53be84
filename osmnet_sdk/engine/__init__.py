"""The engine: this package as a child process that other programs talk to."""
