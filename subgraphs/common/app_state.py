"""The state of a subgraph's application while it runs: the domain's resources and the verifier of tokens."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.applications import Starlette

from subgraphs.common.identity import TokenVerifier
from subgraphs.common.runtime import Runtime


@dataclass(frozen=True, slots=True)
class AppState:
    """What requests share; it exists between the start-up and the shutdown of an application."""

    runtime: Runtime
    verifier: TokenVerifier


def set_state(app: Starlette, state: AppState) -> None:
    """Set the state of an application that starts."""
    app.state.subgraph = state


def get_state(app: Starlette) -> AppState:
    """Get the state of an application, such as `request.app`."""
    state = app.state.subgraph
    assert isinstance(state, AppState)
    return state
