"""The manifest of the ai domain."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr

from subgraphs.common.manifest import Domain
from subgraphs.common.settings import ApiKey, DomainSettings, Port


class Settings(DomainSettings):
    """What the ai domain reads from its environment."""

    port: Port = Field(default=3003, validation_alias="ai_service_port")
    postgres_password: SecretStr = Field(default=SecretStr(""), validation_alias="ai_postgres_password")

    openai_api_key: ApiKey = SecretStr("")
    openai_base_url: str = "https://api.openai.com/v1"
    openai_text_model: str = "gpt-5.4-mini"
    openai_image_model: str = "gpt-image-2"
    stable_diffusion_api_key: ApiKey = SecretStr("")
    offline_words_per_second: Annotated[float, Field(gt=0)] = 60.0
    ai_generations_per_parent: Annotated[int, Field(ge=1, le=100)] = Field(
        default=3, description="How many generations of one parent may wait or run at a time."
    )


DOMAIN = Domain("ai", Settings)
