"""The live weights that come with the library: made from the released ones."""
