"""The settings of the ai domain, which its subgraph and the workers read from their environment."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from subgraphs.common.settings import ApiKey, DomainSettings, Port

ProviderName = Literal["openai", "offline"]


class Settings(DomainSettings):
    """The settings that all domains have, and those that only ai has."""

    port: Port = Field(default=3003, validation_alias="ai_service_port")
    postgres_password: SecretStr = Field(default=SecretStr(""), validation_alias="ai_postgres_password")

    openai_api_key: ApiKey = SecretStr("")
    openai_base_url: str = "https://api.openai.com/v1"
    openai_text_model: str = "gpt-5.4-mini"
    openai_image_model: str = "gpt-image-2"
    ai_writer: ProviderName | None = Field(
        default=None,
        description="Who writes new books; unset, OpenAI if it has a key, else the offline studio.",
    )
    ai_illustrator: ProviderName | None = Field(default=None, description="Who draws them, likewise.")
    ai_moderator: ProviderName | None = Field(
        default=None, description="Who moderates what parents write, likewise."
    )
    offline_words_per_second: Annotated[float, Field(gt=0)] = 60.0
    ai_generations_per_parent: Annotated[int, Field(ge=1, le=100)] = Field(
        default=3, description="How many generations of one parent may wait or run at a time."
    )

    @field_validator("ai_writer", "ai_illustrator", "ai_moderator")
    @classmethod
    def _require_key(cls, name: ProviderName | None, info: ValidationInfo) -> ProviderName | None:
        key = info.data.get("openai_api_key")
        if name == "openai" and not (key and key.get_secret_value()):
            raise ValueError("openai needs OPENAI_API_KEY")
        return name
