"""What a page does, measured inside it: frames, input delay, memory, and when a log is first seen."""

from itertools import pairwise
from typing import Any

from playwright.async_api import CDPSession, Page

FIRST_LINE = """
new MutationObserver((_, observer) => {
  if (!document.querySelector('log-console .line[data-address]')) return
  observer.disconnect()
  requestAnimationFrame(() => setTimeout(() => { window.firstLine = performance.now() }))
}).observe(document, { childList: true, subtree: true })
"""
"""Notes when the first line of a log has been painted, in milliseconds since the navigation began."""

_START = """() => {
  const frames = []
  const inputs = []
  let stopped = false
  let blank = 0
  const frame = (at) => { frames.push(at); blank += Number(isBlank()); if (!stopped) requestAnimationFrame(frame) }
  const isBlank = () => {
    const missing = document.querySelector('log-console .blank')
    if (!missing || missing.hidden) return false
    const [part, all] = [missing, missing.closest('.lines')].map((one) => one.getBoundingClientRect())
    return part.bottom > all.top && part.top < all.bottom
  }
  const pressed = (event) => {
    const waited = performance.now() - event.timeStamp
    requestAnimationFrame(() => setTimeout(() => inputs.push([waited, performance.now() - event.timeStamp])))
  }
  document.addEventListener('keydown', pressed, true)
  requestAnimationFrame(frame)
  window.endProbe = () => {
    stopped = true
    document.removeEventListener('keydown', pressed, true)
    return { frames, inputs, blank }
  }
}"""


class Probe:
    """Records a page's frames and how long keys wait, between `start` and `end`."""

    def __init__(self, page: Page, cdp: CDPSession) -> None:
        self.page = page
        self.cdp = cdp

    async def start(self) -> None:
        await self.page.evaluate(_START)
        self._before = await self._metrics()

    async def end(self) -> dict[str, float]:
        """Frames per second, milliseconds between frames and of work per frame, and how long keys waited."""
        recorded = await self.page.evaluate("endProbe()")
        after = await self._metrics()
        frames = recorded["frames"]
        gaps = sorted(b - a for a, b in pairwise(frames))
        figures = {
            "fps": round(1000 * len(gaps) / (frames[-1] - frames[0]), 1),
            "gap_p50_ms": round(_share(gaps, 0.5), 1),
            "gap_p99_ms": round(_share(gaps, 0.99), 1),
            "work_per_frame_ms": round(1000 * (after["TaskDuration"] - self._before["TaskDuration"]) / len(frames), 2),
        }
        figures["frames_with_blank_rows"] = round(recorded["blank"] / len(frames), 2)
        if recorded["inputs"]:
            figures["input_delay_p95_ms"] = round(_share(sorted(waited for waited, _ in recorded["inputs"]), 0.95), 1)
            figures["input_to_paint_p95_ms"] = round(_share(sorted(paint for _, paint in recorded["inputs"]), 0.95), 1)
        return figures

    async def heap_mb(self) -> float:
        """What is alive in JavaScript's memory."""
        await self.cdp.send("HeapProfiler.collectGarbage")
        return round((await self._metrics())["JSHeapUsedSize"] / 1e6, 1)

    async def _metrics(self) -> dict[str, Any]:
        answer = await self.cdp.send("Performance.getMetrics")
        return {metric["name"]: metric["value"] for metric in answer["metrics"]}


def _share(values: list[float], share: float) -> float:
    """The value that this share of the sorted values does not exceed."""
    return values[min(len(values) - 1, int(len(values) * share))]
