"""How long the packets of an Opus stream last: RFC 6716, section 3.1."""

_SILK, _HYBRID, _CELT = (480, 960, 1920, 2880), (480, 960), (120, 240, 480, 960)


def packet_length(packet: bytes) -> int:
    """Samples at 48 kHz of a packet, of which the first two bytes are looked at."""
    if not packet:
        return 0
    kind, code = packet[0] >> 3, packet[0] & 3
    if kind < 12:
        frame = _SILK[kind % 4]
    elif kind < 16:
        frame = _HYBRID[kind % 2]
    else:
        frame = _CELT[kind % 4]
    if code == 3:
        return frame * (packet[1] & 0x3F) if len(packet) > 1 else 0
    return frame * (1 if code == 0 else 2)
