"""WebSocket frames as a load generator needs them: no masking work, one pass over what was read."""

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
FIN = 0x80
_MASKED = 0x80
_NO_MASK_KEY = b"\0\0\0\0"  # a valid key under which the payload masks to itself


def client_frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """One whole frame from a client."""
    size = len(payload)
    if size < 126:
        head = bytes((FIN | opcode, _MASKED | size))
    elif size < 65536:
        head = bytes((FIN | opcode, _MASKED | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((FIN | opcode, _MASKED | 127)) + size.to_bytes(8, "big")
    return head + _NO_MASK_KEY + payload


class FrameReader:
    """Cuts a server's bytes into text messages; `controls` holds (opcode, payload) of everything else."""

    __slots__ = ("_have", "_need", "_parts", "controls")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._have = 0
        self._need = 2
        self.controls: list[tuple[int, bytes]] = []

    def feed(self, data: bytes) -> list[bytes]:
        """The text messages that are complete now; a rest is kept until its frame is whole."""
        if self._have:
            self._parts.append(data)
            self._have += len(data)
            if self._have < self._need:
                return []
            data = b"".join(self._parts)
            self._parts.clear()
            self._have = 0

        messages: list[bytes] = []
        at, end = 0, len(data)
        while end - at >= 2:
            size = data[at + 1]
            start = at + 2
            if size == 126:
                start = at + 4
                size = int.from_bytes(data[at + 2 : start], "big")
            elif size == 127:
                start = at + 10
                size = int.from_bytes(data[at + 2 : start], "big")
            stop = start + size
            if start > end or stop > end:
                self._keep(data[at:], start - at if start > end else stop - at)
                return messages
            head = data[at]
            if head == FIN | TEXT:
                messages.append(data[start:stop])
            elif head & FIN and head & 0x0F:
                self.controls.append((head & 0x0F, data[start:stop]))
            else:
                raise ValueError(f"a fragmented message (first byte {head:#x}); none of these servers sends one")
            at = stop
        if at < end:
            self._keep(data[at:], 2)
        return messages

    def _keep(self, rest: bytes, need: int) -> None:
        self._parts.append(rest)
        self._have = len(rest)
        self._need = need
