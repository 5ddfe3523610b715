"""The reader's own recordings, as the study *units* listens to them: those of a data set that
`musicnn-book corpus` made, a seeded sample of patches of each, measured one after the other."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from inside_musicnn import replacing
from inside_musicnn.checksums import digest, of_bytes, sha256
from inside_musicnn.cores import one_thread
from inside_musicnn.corpus import Corpus, read_corpus
from inside_musicnn.corpus.files import fingerprint
from inside_musicnn.errors import InputError
from inside_musicnn.file_names import as_text, shown
from inside_musicnn.network.layers import FRAMES
from inside_musicnn.network.weights import checksums_of_weights
from inside_musicnn.sound.recordings import open_recording
from making.recordings.numbers import sample
from making.studies import units as study
from making.studies.edges_and_places import counted, family_positions
from making.studies.runner import key_of, seed_of
from making.studies.subject import Subject

TOGETHER = 4  # patches
FEWEST = 3  # recordings
AT = ("highest_at", "lowest_at", "random_at")


@dataclass(frozen=True)
class Own:
    """One recording of the reader.

    Attributes:
        id, name: as in the data set; the name is the path below its folder.
        file: where it is.
        sha256: of what the data set was made from.
        patches: how many it has.
        damaged: whether the data set has it although sound is lost in it.
    """

    id: str
    name: str
    file: Path
    sha256: str
    patches: int
    damaged: bool

    def result(self, folder: Path, model: str) -> Path:
        """Where what was measured of it is kept."""
        return folder / f"{model}-{self.id}-{self.sha256[:12]}.npz"


def recordings_of(folder: str, most: int) -> tuple[list[Own], int, Corpus]:
    """The recordings of a data set that are at hand, or `most` of them drawn by lot.

    Returns:
        the recordings, by name; how many are not where they were; and the data set.

    Raises:
        InputError: there is no such data set, or too few of its recordings are at hand.
    """
    data = read_corpus(folder)
    found = []
    for row in data.files.itertuples():
        file = data.audio_path(row.id)
        if file is not None:
            found.append(Own(row.id, row.file, file, row.sha256, int(row.patches),
                             bool(row.damaged_patches)))
    gone = len(data.files) - len(found)
    if gone and len(found) < FEWEST:
        raise InputError(f"Of the {len(data.files)} recordings of the data set {shown(data.path)} "
                         f"{len(found)} are where they were, in {shown(_music(data))}; put the "
                         "music back, or make the data set anew with musicnn-book corpus.")
    if len(found) < FEWEST:
        raise InputError(f"The data set {shown(data.path)} has {len(found)} recordings; an atlas "
                         f"needs {FEWEST} or more.")
    # by lot, and so that one recording more or less changes no other's lot
    drawn = sorted(found, key=lambda each: of_bytes(f"units {each.id}".encode()))[:most]
    return sorted(drawn, key=lambda each: each.name), gone, data


def _music(data: Corpus) -> Path:
    return Path(data.path / data.metadata["folder"])


def key_of_results(model: str) -> str:
    """A checksum of all that decides what is measured, but for the recordings."""
    return digest({"study": key_of(study), "weights": checksums_of_weights(model),
                   "source": sha256(Path(__file__))})[:16]


def measure(own: Own, model: str, folder: Path) -> str | None:
    """Measure one recording and keep the result in a folder.

    Returns:
        None, or a sentence on why it cannot be read.
    """
    try:
        if fingerprint(own.file, own.name)[0] != own.sha256:
            raise InputError("it has changed since the data set was made; run musicnn-book corpus "
                             "again")
        with one_thread():
            found = measured(own, model)
    except InputError as error:
        return f"'{as_text(own.name)}': {str(error).replace(str(own.file), as_text(own.name))}"
    with replacing.new_version(own.result(folder, model)) as place, place.open("wb") as stream:
        np.savez_compressed(stream, **found)
    return None


def measured(own: Own, model: str) -> dict[str, np.ndarray]:
    """What the study measures of a sample of a recording's patches, in its own small numbers; and

    Returns:
        "count" of patches; their "numbers"; "scores" of the tags, (patches, 50); and "positions",
        how often each live unit of CNN_1 won at each place in frequency, one after the other.
    """
    numbers, patches = sampled(own)
    subject = Subject(model, patches, seed_of(own.id))
    values = study.measure(subject)
    parts = [patches[first : first + TOGETHER] for first in range(0, len(patches), TOGETHER)]
    return {name: np.asarray(array, study.DTYPES[name]) for name, array in values.items()} | {
        "count": np.array(len(patches)), "numbers": numbers,
        "scores": subject.net.tags(patches).astype(np.float32),
        "positions": np.sum([np.concatenate([
            counted(subject.engine.winners(name, part)[1], family_positions(name))
            for name in subject.engine.folded.families]) for part in parts], axis=0)}


def sampled(own: Own) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the patches that are looked at, rising, and the patches; of a long recording no
    more than a few are in memory at a time.

    Raises:
        InputError: the file cannot be read, or has no patch without damage.
    """
    chosen, kept, numbers, first = set(sample(own.id, own.patches).tolist()), [], [], 0
    recording = open_recording(own.file, damaged=own.damaged)
    with closing(recording.patch_batches()) as batches:
        for batch in batches:
            lost = recording.damaged_patches(first, len(batch))
            for place, patch in enumerate(batch):
                if first + place in chosen and not lost[place]:
                    numbers.append(first + place)
                    kept.append(patch.copy())
            first += len(batch)
    if not kept:
        raise InputError("no patch of its sample is free of damage")
    return np.array(numbers), np.array(kept)


@dataclass(frozen=True)
class Results:
    """What was measured of some recordings with one network."""

    model: str
    folder: Path
    recordings: Sequence[Own]

    def __iter__(self) -> Iterator[dict[str, np.ndarray]]:
        """One recording after the other; frames are counted in the whole recording."""
        for own in self.recordings:
            with np.load(own.result(self.folder, self.model)) as stored:
                found: dict[str, Any] = {
                    name: stored[name].astype(np.float64) if stored[name].dtype.kind == "f"
                    else stored[name] for name in stored.files}
            for name in AT:
                at = found[name].astype(np.int64)
                found[name] = found["numbers"][at // FRAMES] * FRAMES + at % FRAMES
            yield found


@cache
def encoder_is_there() -> bool:
    """Whether this machine's libsndfile writes MP3."""
    import soundfile

    return "MP3" in soundfile.available_formats()
