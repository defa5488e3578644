"""A frame as it leaves: built once, compressed once, sent to every reader that stands at the same place."""

import zlib
from functools import cached_property

COMPRESS_FROM = 1024
"""Bytes: below this, compressing costs more than it saves."""


class Frame:
    """One outgoing text message. A server's WebSocket frames carry no mask, so their bytes are the same for all."""

    def __init__(self, text: bytes, last: int = 0) -> None:
        self.text = text
        self.last = last
        """Seq of the newest event in it; 0 if there is none."""
        self.debt = (last, len(text))
        """What a reader owes for it. One for all of them: a hundred thousand a second would keep the collector busy."""

    def __len__(self) -> int:
        return len(self.text)

    @cached_property
    def deflated(self) -> bytes | None:
        """The same text as raw deflate, or None where that is not worth it."""
        if len(self.text) < COMPRESS_FROM:
            return None
        packer = zlib.compressobj(level=1, wbits=-15)
        return packer.compress(self.text) + packer.flush()

    @cached_property
    def raw_text(self) -> bytes:
        """Header and payload, ready for the transport."""
        return _header(0x81, len(self.text)) + self.text

    @cached_property
    def raw_deflated(self) -> bytes:
        packed = self.deflated
        return self.raw_text if packed is None else _header(0x82, len(packed)) + packed


def _header(opcode: int, length: int) -> bytes:
    """A final, unmasked WebSocket frame's header (RFC 6455, 5.2)."""
    if length < 126:
        return bytes((opcode, length))
    if length < 65536:
        return bytes((opcode, 126)) + length.to_bytes(2, "big")
    return bytes((opcode, 127)) + length.to_bytes(8, "big")
