"""Data sets of whole collections: made by `musicnn-book corpus`, read in chapter 16."""

from helpers.corpus.making import Report, make_corpus
from helpers.corpus.reading import read_corpus

__all__ = ["Report", "make_corpus", "read_corpus"]
