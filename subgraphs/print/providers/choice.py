"""The choice of print shop: the offline one, until another is connected."""

from __future__ import annotations

from datetime import timedelta

from subgraphs.common.runtime import Runtime
from subgraphs.print.domain import Settings
from subgraphs.print.providers.base import PrintProvider
from subgraphs.print.providers.offline import OfflinePrintShop


def choose_print_provider(runtime: Runtime) -> PrintProvider:
    """Choose the print shop by the settings."""
    step = timedelta(seconds=runtime.get_settings(Settings).offline_print_step_seconds)
    return OfflinePrintShop(runtime.database, runtime.clock, step)
