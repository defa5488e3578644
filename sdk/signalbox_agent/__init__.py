"""What a process needs to be an agent of Signalbox. It depends on the wire only, not on the server's code."""

from signalbox_agent.client import AgentClient
from signalbox_agent.frames import Disconnected, Refused, Stopped

__version__ = "0.1.0"
__all__ = ["AgentClient", "Disconnected", "Refused", "Stopped", "__version__"]
