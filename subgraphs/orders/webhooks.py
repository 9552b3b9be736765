"""The webhooks of payment providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import SecretStr

from subgraphs.common.runtime import Runtime
from subgraphs.common.webhooks import WebhookSource, create_signed_source
from subgraphs.orders.jobs import HandlePaymentEvent
from subgraphs.orders.settings import Settings


def _get_offline_secret(runtime: Runtime) -> SecretStr:
    return runtime.get_settings(Settings).offline_payments_webhook_secret


_ALL: Final = (create_signed_source("offline-payments", "offline", _get_offline_secret, HandlePaymentEvent),)

SOURCES: Final[Mapping[str, WebhookSource]] = {source.name: source for source in _ALL}
