"""What one command prints, on its way to the server: decoded, coalesced, numbered, in order."""

import asyncio
import codecs
import time
from collections.abc import Awaitable, Callable

FRAME_BYTES = 16 * 1024
"""So much goes at once, however little time has passed."""
LARGEST_BYTES = 64 * 1024 - 4
"""The server takes 64 Ki characters, and up to three bytes of one may have been left by the frame before."""
FRAME_SECONDS = 0.05
HIGH_BYTES = 4 * 1024 * 1024
LOW_BYTES = 1024 * 1024

Send = Callable[[int, int, str], Awaitable[object]]
"""(number of the frame, characters before it, text): returns when the server has stored it."""


class Printer:
    """Sends bytes as text frames, 50 ms apart or 16 KiB large; what comes after a quiet moment goes at once.

    One frame is under way at a time, so no refusal and no reconnect can put two in the wrong order. What has piled up
    meanwhile goes in frames of up to 64 KiB, or of `largest()` bytes if that is less. While the server is away or slow
    the text piles up here; above 4 MiB `on_full(True)` asks the source to pause.
    """

    def __init__(
        self,
        send: Send,
        on_full: Callable[[bool], None] = lambda is_full: None,
        largest: Callable[[], int] = lambda: LARGEST_BYTES,
    ) -> None:
        self._send, self.on_full = send, on_full
        self._largest = largest
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._bytes = bytearray()
        self._something = asyncio.Event()
        self._enough = asyncio.Event()
        self._is_closed = False
        self._is_full = False
        self._number = 0
        self._offset = 0

    @property
    def _most(self) -> int:
        return min(LARGEST_BYTES, self._largest())

    @property
    def _is_enough(self) -> bool:
        return len(self._bytes) >= min(FRAME_BYTES, self._most)

    def feed(self, data: bytes) -> None:
        """Take what the command printed; never blocks."""
        self._bytes += data
        self._something.set()
        if self._is_enough:
            self._enough.set()
        if not self._is_full and len(self._bytes) > HIGH_BYTES:
            self._is_full = True
            self.on_full(True)

    def close(self) -> None:
        """Nothing more will come."""
        self._is_closed = True
        self._something.set()
        self._enough.set()

    async def run(self) -> None:
        """Send until `close` was called and everything is acknowledged."""
        sent_at = 0.0
        while True:
            await self._something.wait()
            if not self._enough.is_set() and (wait := sent_at + FRAME_SECONDS - time.monotonic()) > 0:
                try:
                    async with asyncio.timeout(wait):
                        await self._enough.wait()
                except TimeoutError:
                    pass
            text, is_last = self._take()
            if text:
                sent_at = time.monotonic()
                await self._send(self._number, self._offset, text)
                self._number += 1
                self._offset += len(text)
            if is_last:
                return

    def _take(self) -> tuple[str, bool]:
        piece = bytes(self._bytes[: self._most])
        del self._bytes[: len(piece)]
        is_last = self._is_closed and not self._bytes
        if not self._bytes and not is_last:
            self._something.clear()
        if not self._is_enough and not self._is_closed:
            self._enough.clear()
        if self._is_full and len(self._bytes) <= LOW_BYTES:
            self._is_full = False
            self.on_full(False)
        return self._decoder.decode(piece, is_last), is_last
