"""The local platform: servers and all processes on one machine, without containers."""

from infra.local.servers import Servers
from infra.local.stack import Stack

__all__ = ["Servers", "Stack"]
