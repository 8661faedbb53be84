"""How the bundle's weights are made and measured; nothing that ships imports it."""
