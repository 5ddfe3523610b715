"""Real recordings: fetched from Debian's packages, listed, cut into excerpts, turned to numbers."""
