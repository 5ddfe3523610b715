"""Studies: what is costly is measured once, for all recordings, and its results are kept small.

A study is a module here with three things:

    MEANINGS = {"column": "what it holds, with its axes", ...}
    DTYPES = {"column": "float16", ...}
    def measure(subject: Subject) -> dict[str, np.ndarray]: ...

and, where it costs too much for all recordings,

    def takes(rows: Sequence[Row]) -> list[Row]: ...

`measure` is called for each recording and each network, with a seeded sample of patches, and
returns one small array of a fixed shape for each column. `python -m making.studies` computes what
is missing and writes `data/studies/NAME-MODEL.parquet` and `NAME.json`. The shipped excerpts are
rows of every study, so that a chapter computes some of them again. See `runner`.
"""
