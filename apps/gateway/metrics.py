"""What the gateway counts, for `/metrics` and `/api/v1/ws/stats`."""

from dataclasses import dataclass

from prometheus_client import Counter, Gauge

refusals = Counter("signalbox_refusals_total", "Frames and requests that were refused", ["code"])
connections = Gauge("signalbox_live_connections", "Live sockets of this process")
connections_total = Counter("signalbox_connections_total", "Sockets that were ever authenticated")
frames_received = Counter("signalbox_frames_received_total", "Messages that clients sent")
closes = Counter("signalbox_closes_total", "Closed sockets", ["code"])


@dataclass(slots=True)
class Delivered:
    """Counted per flush, not per reader: the hot path has no room for a metric."""

    events: int = 0
    frames: int = 0


delivered = Delivered()
