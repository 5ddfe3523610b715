"""Data sets of whole collections: made by `musicnn-book corpus`, read in chapter 16."""

from inside_musicnn.corpus.making import Report, make_corpus
from inside_musicnn.corpus.reading import read_corpus

__all__ = ["Report", "make_corpus", "read_corpus"]
