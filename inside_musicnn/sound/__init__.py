"""Recordings, decoding, the dB mel spectrogram, probes."""
