"""FFmpeg's filters and coders, through PyAV, on samples in memory."""

import io
from typing import Any

import numpy as np

from inside_musicnn.extras import needs

BLOCK = 4096  # samples that are handed over at once


def filtered(samples: np.ndarray, rate: int, filters: list[tuple[str, str]]) -> np.ndarray:
    """Samples after some of FFmpeg's filters, one after another.

    Args:
        samples: float32, shape (n, channels).
        rate: samples in a second.
        filters: name and arguments of each, such as ("atempo", "0.9").

    Returns:
        float32, shape (m, channels).
    """
    with needs("deformations", "This deformation"):
        import av
    layout = layout_of(samples)
    graph = av.filter.Graph()
    chain: list[Any] = [graph.add_abuffer(sample_rate=rate, format="flt", layout=layout)]
    chain += [graph.add(name, arguments) for name, arguments in filters]
    chain += [graph.add("aformat", f"sample_fmts=flt:channel_layouts={layout}"),
              graph.add("abuffersink")]
    for one, other in zip(chain, chain[1:], strict=False):
        one.link_to(other)
    graph.configure()
    for first in range(0, len(samples), BLOCK):
        chain[0].push(_frame(samples[first : first + BLOCK], rate, layout, first))
    chain[0].push(None)
    return _joined(_pulled(chain[-1]), samples.shape[1])


def _pulled(sink: Any) -> Any:
    import av

    while True:
        try:
            yield sink.pull()
        except (av.error.EOFError, av.error.BlockingIOError):
            return


def coded(samples: np.ndarray, rate: int, codec: str, container: str, kilobits: int
          ) -> np.ndarray:
    """Samples after a lossy coder and its decoder.

    Args:
        samples: float32, shape (n, channels), at a rate that the codec has.
        rate: samples in a second.
        codec, container: FFmpeg's names, such as "libmp3lame" and "mp3".
        kilobits: in a second.

    Returns:
        float32, shape (m, channels): with what the decoder leaves of the coder's delay.
    """
    with needs("deformations", "This deformation"):
        import av
    file, layout = io.BytesIO(), layout_of(samples)
    with av.open(file, "w", format=container) as out:
        stream: Any = out.add_stream(codec, rate=rate)
        stream.bit_rate, stream.layout = 1000 * kilobits, layout
        resampler = av.AudioResampler(format=stream.format or "fltp", layout=layout, rate=rate)
        for first in range(0, len(samples), BLOCK):
            frame = _frame(samples[first : first + BLOCK], rate, layout, first)
            for ready in resampler.resample(frame):
                out.mux(stream.encode(ready))
        out.mux(stream.encode(None))
    file.seek(0)
    with av.open(file, "r") as back:
        resampler = av.AudioResampler(format="flt", layout=layout)
        frames = [ready for frame in back.decode(audio=0) for ready in resampler.resample(frame)]
    return _joined(frames, samples.shape[1])


def layout_of(samples: np.ndarray) -> str:
    return "mono" if samples.shape[1] == 1 else "stereo"


def _frame(samples: np.ndarray, rate: int, layout: str, first: int) -> Any:
    import av

    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(samples, np.float32).reshape(1, -1), format="flt", layout=layout)
    frame.sample_rate, frame.pts = rate, first
    return frame


def _joined(frames: Any, channels: int) -> np.ndarray:
    parts = [frame.to_ndarray().reshape(-1, channels) for frame in frames]
    return np.concatenate(parts) if parts else np.zeros((0, channels), np.float32)
