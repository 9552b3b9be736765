"""The webhooks of print shops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import SecretStr

from subgraphs.common.runtime import Runtime
from subgraphs.common.webhooks import WebhookSource, create_signed_source
from subgraphs.print.jobs import HandleShopEvent
from subgraphs.print.settings import Settings


def _get_offline_secret(runtime: Runtime) -> SecretStr:
    return runtime.get_settings(Settings).offline_print_webhook_secret


_ALL: Final = (create_signed_source("offline-print", "offline", _get_offline_secret, HandleShopEvent),)

SOURCES: Final[Mapping[str, WebhookSource]] = {source.name: source for source in _ALL}
