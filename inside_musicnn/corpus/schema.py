"""What the data set of a corpus holds: its tables, columns and what they mean.

Explained in chapter 16.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from inside_musicnn.network.layers import DENSE, SERIES, TAGS
from inside_musicnn.versions import NUMBERS, installed

FORMAT = 1  # grows when the same file would give other rows
LAYERS_KEPT = {"tags": "tags/sigmoid", "pool_max": "pool/max", "pool_mean": "pool/mean",
               "embedding": "dense/norm"}
WIDTHS = {"tags": TAGS, "pool_max": SERIES, "pool_mean": SERIES, "embedding": DENSE}

_EMBEDDING = ("200 values of dense/norm, the penultimate layer: after ReLU and normalisation, as "
              "the package musicnn gives it. Essentia's embedding of the same name is dense/bias, "
              "before both.")
_ID = "16 hexadecimal digits made from the bytes of the path: the same on every machine"
_FILE = ("path below the corpus's folder; bytes that are not UTF-8 are written as escapes such "
         "as \\xff")
_SERIES = ("of the 753 series that leave the second stage: 0 to 560 are the rows of U, 561 to "
           "624 CNN_2, 625 to 688 its sum with CNN_3, 689 to 752 the sum of all three")

MEANINGS = {
    "patches": {
        "id": _ID, "file": _FILE,
        "patch": "number of the patch in its file, from 0; patches lie side by side",
        "start": "where the patch begins, in seconds; it lasts 187 frames, 2.992 s",
        "damaged": "whether sound of the patch is lost, and silent here; only with --damaged",
        "tags": "50 scores between 0 and 1, in the order of `labels`",
        "pool_max": f"maximum over the patch {_SERIES}",
        "pool_mean": f"mean over the patch {_SERIES}",
        "embedding": _EMBEDDING,
    },
    "files": {
        "id": _ID, "file": _FILE, "sha256": "of the file's content",
        "size": "bytes",
        "modified": "time of the last change of the content, nanoseconds since 1970",
        "changed": "the same of content or properties, as the file system has it",
        "duration": "seconds, as far as the file goes",
        "patches": "number of patches; a rest below 2.992 s is dropped",
        "damaged_patches": "of these, how many lack sound that is lost",
        "notes": "sentences on what is lost or doubtful in the sound; empty for most",
        "tags": "mean of the patches' scores", "embedding": "mean of the patches' embeddings",
    },
    "failed": {"id": _ID, "file": _FILE, "reason": "one sentence: why it could not be read"},
    "removed": {"id": _ID, "file": _FILE},
}
_TYPES = {"patch": pa.int32(), "patches": pa.int32(), "damaged_patches": pa.int32(),
          "damaged": pa.bool_(), "start": pa.float64(),
          "duration": pa.float64(), "size": pa.int64(), "modified": pa.int64(),
          "changed": pa.int64()}


def schema(table: str, facts: Mapping[str, Any] | None = None) -> pa.Schema:
    """Arrow schema of one of the tables, with `facts` about the model among its metadata.

    Vectors are lists of a fixed size: in the Parquet file that is an ordinary list of floats,
    which Spark and DuckDB read as such; Arrow, pandas and Polars also learn its length.
    """
    def kind(name: str) -> pa.DataType:
        width = WIDTHS.get(name)
        return pa.list_(pa.float32(), width) if width else _TYPES.get(name, pa.string())

    fields = [pa.field(name, kind(name), nullable=False, metadata={"meaning": meaning})
              for name, meaning in MEANINGS[table].items()]
    return pa.schema(fields, {"inside-musicnn": json.dumps(facts)} if facts else None)


# Data sets that were made before these columns came are read as if nothing were amiss.
LATER: dict[str, Any] = {"damaged": False, "damaged_patches": 0, "notes": ""}


def completed(table: pa.Table) -> pa.Table:
    """A table with what its parts lack of the columns that came later."""
    for name, value in LATER.items():
        if name in table.schema.names and table[name].null_count:
            place = table.schema.get_field_index(name)
            table = table.set_column(place, name, table[name].fill_null(value))
    return table


def vectors(values: np.ndarray) -> pa.Array:
    """An array (n, width) as a column of lists."""
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel(), pa.float32()),
                                             values.shape[1])


def versions() -> dict[str, str]:
    """Versions of the packages that the numbers depend on; those that are installed."""
    return installed((*NUMBERS, "pyarrow"))


README = """# A corpus, heard by {model}

Made by `musicnn-book corpus` of *Inside MusiCNN*. {files} files, {patches} patches of 2.992 s.

| table | one row for each |
|---|---|
| `patches/*.parquet` | patch of a file |
| `files/*.parquet` | file that was read |
| `failed.parquet` | file that could not be read, with the reason |
| `removed.parquet` | file that was read once and is no longer in the folder; its rows are kept |

`metadata.json` names the model, its weights, the 50 labels, the versions, and the meaning of each
column. Vectors are lists of floats. `id` joins the tables.

```sql
-- DuckDB; `labels` in metadata.json counts from 0, SQL lists count from 1
SELECT file, start, tags[1] FROM 'patches/*.parquet' ORDER BY tags[1] DESC LIMIT 10;
```

```python
pandas.read_parquet("files")                              # pandas
spark.read.parquet("patches").select("file", "tags")      # Spark
inside_musicnn.read_corpus(".").matrix("embedding")       # this book: a NumPy array
```
"""
