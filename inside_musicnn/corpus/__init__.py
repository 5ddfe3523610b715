"""Data sets of whole collections: made by `musicnn-book corpus`, read in chapter 16."""

from inside_musicnn.extras import needs

with needs("corpus", "A data set of a collection"):
    from inside_musicnn.corpus.make import Report, make_corpus
    from inside_musicnn.corpus.reading import Corpus, read_corpus

__all__ = ["Corpus", "Report", "make_corpus", "read_corpus"]
