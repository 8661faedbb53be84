"""One photo and one voice in, several natural head performances out."""
