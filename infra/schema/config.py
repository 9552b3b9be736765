"""`supergraph.yaml`: the subgraphs of the supergraph, with their URLs and schema files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, Field, ValidationError

from infra.errors import InfraError


class _Schema(BaseModel):
    file: Path


class _Subgraph(BaseModel):
    routing_url: str
    sdl: _Schema = Field(alias="schema")


class _Supergraph(BaseModel):
    subgraphs: dict[str, _Subgraph]


@dataclass(frozen=True, slots=True)
class Subgraph:
    """One subgraph of the composition."""

    name: str
    routing_url: str
    file: Path


def load_config(path: Path) -> Sequence[Subgraph]:
    """Read the configuration; schema files are relative to it.

    Raises:
        InfraError: The file is missing, is not YAML, or is invalid.
    """
    try:
        content = _Supergraph.model_validate(yaml.safe_load(path.read_text()))
    except FileNotFoundError:
        raise InfraError(f"{path} does not exist.") from None
    except yaml.YAMLError as error:
        raise InfraError(f"{path} is not YAML: {error}") from None
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise InfraError(f"{path}: {problems}") from None
    return [
        Subgraph(name, subgraph.routing_url, path.parent / subgraph.sdl.file)
        for name, subgraph in content.subgraphs.items()
    ]
