"""Loading: what librosa gives, and one clear sentence for everything that is not music."""

from fractions import Fraction

import librosa
import numpy as np
import pytest
import soundfile
from arithmetic.sound import one_step_apart

from inside_musicnn import InputError, load_clip
from inside_musicnn.sound.clips import DATA, SHORTEST
from inside_musicnn.sound.decoding import BLOCK

RATE = 44100


@pytest.fixture(scope="module")
def music():
    """Four seconds of the default clip, stereo, 44.1 kHz."""
    samples, rate = soundfile.read(DATA / "disco.ogg", frames=4 * RATE, dtype="float32")
    assert rate == RATE
    return samples


@pytest.mark.parametrize("kind, options", [
    ("wav", {"subtype": "PCM_16"}), ("wav", {"subtype": "PCM_24"}), ("wav", {"subtype": "FLOAT"}),
    ("flac", {}), ("ogg", {"subtype": "VORBIS"}), ("ogg", {"subtype": "OPUS"}), ("mp3", {}),
])
def test_formats_are_loaded_as_librosa_loads_them(tmp_path, music, kind, options):
    path = tmp_path / f"song.{kind}"
    rate = 48000 if options.get("subtype") == "OPUS" else RATE
    soundfile.write(path, music, rate, **options)
    clip = load_clip(path)
    expected, _ = librosa.load(path, sr=16000)
    assert clip.samples.dtype == np.float32
    assert np.array_equal(clip.samples, expected)
    assert clip.patches().shape == (1, 187, 96)


def test_twelve_channels_of_another_format(tmp_path):
    """WavPack, which is lossless, by PyAV: of more than eight channels it miscounts planes."""
    import av

    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (64000, 12)).astype(np.float32)
    with av.open(tmp_path / "x.wv", "w", format="wv") as file:
        stream = file.add_stream("wavpack", rate=16000)
        stream.layout, stream.format = "7.1.4", "fltp"
        planar = av.AudioResampler("fltp", "7.1.4", 16000)
        for first in range(0, len(noise), 4000):
            frame = av.AudioFrame.from_ndarray(noise[first : first + 4000].reshape(1, -1),
                                               format="flt", layout="7.1.4")
            frame.sample_rate, frame.pts, frame.time_base = 16000, first, Fraction(1, 16000)
            for ready in planar.resample(frame):
                file.mux(stream.encode(ready))
        file.mux(stream.encode(None))
    found = load_clip(tmp_path / "x.wv").samples
    np.testing.assert_allclose(found, noise.mean(axis=1), atol=1e-6)  # sums of twelve, in float32


@pytest.mark.parametrize("rate, channels", [(8000, 1), (96000, 2), (16000, 6)])
def test_any_rate_and_number_of_channels(tmp_path, rate, channels):
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (4 * rate, channels)).astype(np.float32)
    soundfile.write(tmp_path / "x.wav", noise, rate)
    clip = load_clip(tmp_path / "x.wav")
    assert clip.samples.shape == (64000,)


def test_offset_and_duration_are_librosas():
    clip = load_clip("disco", offset=1.5, duration=4)
    expected, _ = librosa.load(DATA / "disco.ogg", sr=16000, offset=1.5, duration=4)
    assert np.array_equal(clip.samples, expected)
    assert clip.offset == 1.5 and clip.duration == 4


@pytest.mark.parametrize("rate, kind", [(16000, "wav"), (44100, "ogg"), (44100, "mp3"),
                                        (48000, "flac")])
@pytest.mark.parametrize("offset", [0.0, 1.7])
def test_segments_are_the_first_ones_of_the_whole(tmp_path, rate, kind, offset):
    samples = soundfile.read(DATA / "disco.ogg", frames=10 * RATE)[0]
    soundfile.write(tmp_path / f"x.{kind}", samples, rate)
    whole = load_clip(tmp_path / f"x.{kind}", offset=offset)
    patches = whole.patches()
    for segments in (1, 2, len(patches), 50):
        clip = load_clip(tmp_path / f"x.{kind}", offset=offset, segments=segments)
        assert np.array_equal(clip.samples, whole.samples[: segments * 187 * 256])
        found = clip.patches()
        assert len(found) == min(segments, len(patches)) and clip.offset == offset
        # Matrix products may add up in another order: some values round to the next float16.
        assert one_step_apart(found, patches[:segments])
        assert (found != patches[:segments]).mean() < 0.01


def test_segments_need_no_more_of_the_file(monkeypatch):
    """Not even what is wrong with the rest of it is met."""
    read = []

    def counted(*arguments, real=soundfile.SoundFile.read, **options):
        block = real(*arguments, **options)
        read.append(len(block))
        return block

    monkeypatch.setattr(soundfile.SoundFile, "read", counted)
    load_clip("disco", segments=1)
    assert 187 * 256 * RATE / 16000 < sum(read) <= 2 * BLOCK
    load_clip("disco")
    assert sum(read[2:]) == 30 * RATE


@pytest.mark.parametrize("segments", [0, -1, 1.5, "two", np.nan, np.inf, None])
def test_bad_segments_get_one_sentence(segments):
    if segments is None:
        with pytest.raises(InputError, match="leave one of them out"):
            load_clip("disco", duration=9, segments=3)
    else:
        with pytest.raises(InputError, match="number of segments is .*, at least 1"):
            load_clip("disco", segments=segments)


@pytest.mark.parametrize("name", ["a b's \"c\".wav", "é🦆.wav", "<script>.wav", "-dash.wav",
                                  "$x.wav"])
def test_odd_names_are_only_names(tmp_path, music, name):
    soundfile.write(tmp_path / name, music, RATE)
    assert load_clip(tmp_path / name).name == name.removesuffix(".wav")


def _written(path, samples, rate=16000, **options):
    soundfile.write(path, samples, rate, **options)
    return path


def _cut(path, share=0.6):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def bad_files(folder, music):
    """Name -> (path, what the sentence must speak of)."""
    plain = music.mean(axis=1)
    yield "missing", folder / "no.wav", "no audio file"
    yield "folder", folder, "is a folder"
    (folder / "empty.wav").write_bytes(b"")
    yield "empty", folder / "empty.wav", "empty file"
    (folder / "text.wav").write_text("not a sound")
    yield "not audio", folder / "text.wav", "cannot be read"
    (folder / "text.mp3").write_bytes(bytes(range(256)) * 40)
    yield "not an MP3", folder / "text.mp3", "cannot be read"
    yield "no samples", _written(folder / "none.wav", np.zeros(0), 16000), "no samples"
    yield "short", _written(folder / "short.wav", np.zeros(SHORTEST - 1), 16000), "too short"
    for value in (np.nan, np.inf, -np.inf):
        spoiled = plain.copy()
        spoiled[RATE] = value
        path = _written(folder / f"{value}.wav", spoiled, RATE, subtype="FLOAT")
        yield f"{value}", path, "not a number or infinite"
    long = np.tile(music, (3, 1))
    for kind in ("wav", "flac", "ogg", "mp3"):
        yield f"cut {kind}", _cut(_written(folder / f"cut.{kind}", long, RATE)), "truncated|cannot"


def test_bad_files_get_one_sentence(tmp_path, music):
    for what, path, words in bad_files(tmp_path, music):
        with pytest.raises(InputError, match=words) as caught:
            load_clip(path)
        sentence = str(caught.value)
        assert "\n" not in sentence and sentence.endswith("."), what
        assert "Traceback" not in sentence


@pytest.mark.parametrize("options, words", [
    ({"offset": -1}, "0 or more"), ({"offset": 30.0}, "beyond the end"),
    ({"offset": 1e9}, "beyond the end"), ({"offset": float("nan")}, "0 or more"),
    ({"offset": "soon"}, "0 or more"), ({"offset": 28}, "too short"), ({"duration": 0}, "above 0"),
    ({"duration": 1.0}, "too short"),
])
def test_bad_times_get_one_sentence(options, words):
    with pytest.raises(InputError, match=words):
        load_clip("disco", **options)


def test_unknown_name_lists_the_clips():
    with pytest.raises(InputError, match="disco, piano, string_quartet"):
        load_clip("polka")


def test_shortest_clip_is_one_patch(tmp_path):
    path = _written(tmp_path / "just.wav", np.zeros(SHORTEST), 16000)
    assert load_clip(path).patches().shape == (1, 187, 96)


def test_a_notebook_shows_the_sentence_alone():
    assert InputError("One sentence.")._render_traceback_() == ["One sentence."]
