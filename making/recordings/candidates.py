"""Which excerpt the book should use unless it says otherwise: measured, not chosen by taste.

A good default has an answer. For each excerpt and each network: the tag with the highest mean
score, that score, and how far it lies above what the network answers to silence and to noise (the
largest score that either gets for any tag). The weaker of the two networks decides the order. To
that come signs, from the sound alone, that there are drums and pitch: the share of the energy that
is percussive by `librosa.effects.hpss`, how clear its pulse is (the highest peak of the onsets'
autocorrelation between 60 and 180 beats per minute), and how far the strongest pitch class stands
out. Last, which words the two networks lead with: where both have a tag and disagree on it, there
is something to discuss.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import librosa
import numpy as np
import pandas as pd

from inside_musicnn import MusiCNN, load_clip
from inside_musicnn.network.weights import MODELS
from inside_musicnn.sound import probes
from inside_musicnn.sound.spectrogram import SAMPLE_RATE
from making.recordings.excerpts import ROOT

LEADING = 3  # tags
SECONDS = 30.0


def measure_candidates(entries: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """One row for each excerpt, best first: see the top of the file."""
    nets = {model: MusiCNN(model, compact=True) for model in MODELS}
    floor = {model: _largest_of_nothing(net) for model, net in nets.items()}
    rows = []
    for entry in entries:
        clip = load_clip(ROOT / "data" / entry["file"])
        row: dict[str, Any] = {"name": entry["name"], "style": entry["style"]}
        for model, net in nets.items():
            scores = net.tags(clip).mean(axis=0)
            leading = np.argsort(-scores, kind="stable")[:LEADING]
            short = model.split("_")[0]
            row[f"{short} tags"] = ", ".join(f"{net.labels[i]} {scores[i]:.2f}" for i in leading)
            row[f"{short} above"] = scores[leading[0]] - floor[model]
        rows.append(row | _signs(clip.samples))
    table = pd.DataFrame(rows)
    table["above"] = table[[column for column in table if column.endswith(" above")]].min(axis=1)
    return table.sort_values("above", ascending=False, ignore_index=True)


def _largest_of_nothing(net: MusiCNN) -> float:
    """The largest score that silence or noise gets for any tag."""
    sounds = [probes.silence(SECONDS), *(probes.noise(level, SECONDS) for level in (0.01, 0.1))]
    return max(float(net.tags(sound).mean(axis=0).max()) for sound in sounds)


def _signs(samples: np.ndarray) -> dict[str, float]:
    """Signs of drums and of pitch."""
    harmonic, percussive = librosa.effects.hpss(samples)
    onsets = librosa.onset.onset_strength(y=samples, sr=SAMPLE_RATE)
    onsets = onsets - onsets.mean()
    frames = SAMPLE_RATE / 512  # per second, of librosa's onsets
    lags = np.correlate(onsets, onsets, "full")[len(onsets) - 1 :]
    pulse = lags[int(frames * 60 / 180) : int(frames * 60 / 60) + 1].max() / max(lags[0], 1e-9)
    classes = librosa.feature.chroma_stft(y=harmonic, sr=SAMPLE_RATE, norm=None).mean(axis=1)
    energy = float((percussive**2).sum() + (harmonic**2).sum())
    return {"percussive": float((percussive**2).sum()) / energy, "pulse": float(pulse),
            "pitch": float(classes.max() / classes.mean())}
