"""The tables of the auth domain."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from subgraphs.common.audit import create_audit_table
from subgraphs.common.consent import ConsentPurpose
from subgraphs.common.database import Base, create_enum_type, create_metadata
from subgraphs.common.deliveries import create_deliveries_table
from subgraphs.common.outbox import create_inbox_table, create_outbox_table


class Table(Base):
    """The base of the domain's tables."""

    __abstract__ = True
    metadata = create_metadata("auth")


class User(Table):
    """An account; `email` is normalised, so that equal addresses are equal strings."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    display_name: Mapped[str] = mapped_column(String(80))
    password_hash: Mapped[str] = mapped_column(String(200))
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]


class Session(Table):
    """A sign-in, with the family of refresh tokens that descend from it."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)
    user_agent: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    def is_open(self, now: datetime) -> bool:
        """Whether its refresh tokens are still valid."""
        return self.revoked_at is None and now < self.expires_at


class RefreshToken(Table):
    """A refresh token of a session: its hash, and when it was used."""

    __tablename__ = "refresh_tokens"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey(Session.id, ondelete="CASCADE"), index=True)
    issued_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Consent(Table):
    """An entry of the consent ledger, which can be revoked but is never deleted."""

    __tablename__ = "consents"
    __table_args__ = (
        Index(
            "uq_consents_standing",
            "user_id",
            "purpose",
            "policy_version",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)
    purpose: Mapped[ConsentPurpose] = mapped_column(create_enum_type(ConsentPurpose))
    policy_version: Mapped[str] = mapped_column(String(40))
    granted_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


create_outbox_table(Table.metadata)
create_inbox_table(Table.metadata)
create_deliveries_table(Table.metadata)
create_audit_table(Table.metadata)
