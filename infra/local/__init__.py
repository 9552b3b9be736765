"""The local platform: real servers and all processes on one machine, without containers."""

from infra.local.servers import Servers

__all__ = ["Servers"]
