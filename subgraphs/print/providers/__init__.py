"""Print shops behind one port."""

from __future__ import annotations

from datetime import timedelta

from subgraphs.common.runtime import Runtime
from subgraphs.print.domain import Settings
from subgraphs.print.providers.base import PrintProvider
from subgraphs.print.providers.offline import OfflinePrintShop


def print_provider(runtime: Runtime) -> PrintProvider:
    """The print shop of this installation."""
    step = timedelta(seconds=runtime.settings_of(Settings).offline_print_step_seconds)
    return OfflinePrintShop(runtime.database, runtime.clock, step)
