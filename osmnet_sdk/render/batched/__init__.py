"""The renderer of `osmnet_sdk.render` for batches of frames on any device of torch."""
