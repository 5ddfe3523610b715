"""Which excerpt the book should use unless it says otherwise: measured, not chosen by taste.

A good default has an answer. For each excerpt and each network: the tags with the highest mean
scores, how far the first lies above what the network answers to silence and to noise (the largest
score that either gets for any tag), and what it answers to them for the same tag. The weaker of the
two networks decides the order. To
that come signs, from the sound alone, that there are drums and pitch: the share of the energy that
is percussive by `librosa.effects.hpss`, how clear its pulse is (the highest peak of the onsets'
autocorrelation between 60 and 180 beats per minute), and how far the strongest pitch class stands
out. Last, of the tags that both networks have, the one on which they differ most: that is something
to discuss.

The rule: of those with drums (a percussive share of 0.2 or more, a pulse of 0.3 or more) and pitch
(the strongest pitch class 1.5 times the mean or more), the one that lies farthest above.
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
    nothing = {model: _of_nothing(net) for model, net in nets.items()}
    rows = []
    for entry in entries:
        clip = load_clip(ROOT / "data" / entry["file"])
        row: dict[str, Any] = {"name": entry["name"]}
        found = {}
        for model, net in nets.items():
            scores = net.tags(clip).mean(axis=0)
            found[model] = dict(zip(net.labels, scores, strict=True))
            leading = np.argsort(-scores, kind="stable")[:LEADING]
            short = model.split("_")[0]
            row[f"{short} tags"] = ", ".join(f"{net.labels[i]} {scores[i]:.2f}" for i in leading)
            row[f"{short} above"] = scores[leading[0]] - nothing[model].max()
            row[f"{short} nothing"] = nothing[model][leading[0]]
        rows.append(row | _signs(clip.samples) | {"differ": _differ(*found.values())})
    table = pd.DataFrame(rows)
    table["above"] = table[[column for column in table if column.endswith(" above")]].min(axis=1)
    return table.sort_values("above", ascending=False, ignore_index=True)


def _of_nothing(net: MusiCNN) -> np.ndarray:
    """For each tag the larger of its scores for silence and for noise."""
    sounds = [probes.silence(SECONDS), *(probes.noise(level, SECONDS) for level in (0.01, 0.1))]
    return np.max([net.tags(sound).mean(axis=0) for sound in sounds], axis=0)


def _differ(first: Mapping[str, float], second: Mapping[str, float]) -> str:
    """The common tag with the largest difference, and both scores."""
    tag = max(sorted(set(first) & set(second)), key=lambda tag: abs(first[tag] - second[tag]))
    return f"{tag} {first[tag]:.2f} / {second[tag]:.2f}"


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
