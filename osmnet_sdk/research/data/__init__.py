"""Videos of people made into training data: cut, tracked, cropped, packed into shards."""
