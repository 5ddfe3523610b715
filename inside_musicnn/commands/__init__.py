"""The sub-commands of `musicnn-book`: tags, tensors, corpus, unit."""
