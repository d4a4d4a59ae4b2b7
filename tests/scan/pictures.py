"""Small pictures and a sound, built by hand."""

import io
import struct
import wave
import zlib


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(extra=b""):
    pixels = zlib.compress(b"".join(b"\0" + bytes(range(12)) for _ in range(4)))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + extra + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def jpeg():
    """Not a picture that decodes, but markers and coded data as in one, with stuffing and restarts."""
    segments = b"".join(b"\xff" + bytes([m]) + struct.pack(">H", 2 + n) + bytes(n) for m, n in ((0xE0, 14), (0xDB, 65)))
    coded = b"\xff\xda" + struct.pack(">H", 8) + bytes(6) + b"abc\xff\x00def\xff\xd3ghi"
    return b"\xff\xd8" + segments + coded + b"\xff\xff\xfe\x00\x05abc" + coded + b"\xff\xd9"


def gif():
    screen = struct.pack("<HHBBB", 2, 2, 0x80, 0, 0) + bytes(6)
    extension = b"\x21\xf9\x04" + bytes(4) + b"\0" + b"\x21\xfe\x03abc\x02de\0"
    image = b"\x2c" + struct.pack("<HHHHB", 0, 0, 2, 2, 0x80) + bytes(6) + b"\x02\x02\x4c\x01\0"
    return b"GIF89a" + screen + extension + image + b";"


def webp():
    body = b"WEBP" + b"VP8 " + struct.pack("<I", 5) + b"abcde\0" + b"EXIF" + struct.pack("<I", 2) + b"xx"
    return b"RIFF" + struct.pack("<I", len(body)) + body


def wav():
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(100))
    return out.getvalue()


MADE = {"png": png, "jpeg": jpeg, "gif": gif, "webp": webp, "wav": wav}
