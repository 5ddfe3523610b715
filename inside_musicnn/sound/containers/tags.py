"""Tags that stand before, after or between the frames of a file, and are no sound."""

from inside_musicnn.sound.pieces import Window

_APE, _ID3_FIRST, _ID3_SECOND, _LYRICS = b"APETAGEX", b"TAG", b"ID3", b"LYRICSBEGIN"


def after_tags(window: Window) -> int:
    """Where the tags at the beginning of a file end."""
    place = 0
    while tag := length_of_tag(window, place):
        place += tag
    return place


def length_of_tag(window: Window, place: int) -> int:
    """Bytes of the tag that begins at `place`; 0 if none does."""
    start = window.at(place, 32)
    if start.startswith(_ID3_SECOND) and len(start) >= 10 and max(start[6:10]) < 0x80:
        size = 0
        for digit in start[6:10]:  # seven bits in each byte
            size = size << 7 | digit
        return 10 + size + 10 * (start[5] >> 4 & 1)
    if start.startswith(_ID3_FIRST) and place + 128 == window.size:
        return 128
    if start.startswith(_ID3_FIRST) and window.at(place + 128, 1) == b"\xff":
        return 128  # of a file to which another was added
    if start.startswith(_APE) and len(start) == 32:
        # The header, where there is one, is not counted; the footer is.
        size = int.from_bytes(start[12:16], "little")
        return size + 32 if start[23] & 0x20 else 32
    if start.startswith(_LYRICS):
        end = window.find(b"LYRICS200", place, place + 2**17)
        return end + 9 - place if end >= 0 else 0
    return 0
