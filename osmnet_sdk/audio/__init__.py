"""Sound in: loading, mel windows, speech activity."""
