"""The router's configuration file: YAML whose keys are the names of settings in lower case.

    router_max_depth: 12
    router_headers:
      - propagate: user-agent
      - {remove: authorization, subgraph: print}

A variable of the environment overrides the key of its name. What is a list or a mapping can only be set here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml


class InvalidConfigFile(Exception):
    """The file cannot be read as configuration; `problems` names the line of each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """The values in the file by setting, and the places in it where they stand, such as `router.yaml:3`."""

    values: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, known: Collection[str]) -> ConfigFile:
        """Read a file with values of known settings.

        Raises:
            InvalidConfigFile: it is not readable, is not a mapping, or has unknown or repeated keys.
        """
        values: dict[str, Any] = {}
        places: dict[str, str] = {}
        problems: list[str] = []
        for name, line, value in _parse(path):
            place = f"{path}:{line}"
            if name in values:
                problems.append(f"{place}: {name} is set at {places[name]} already")
            elif name not in known:
                problems.append(f"{place}: {name} is not a setting{_suggest(name, known)}")
            else:
                values[name], places[name] = value, place
        if problems:
            raise InvalidConfigFile(problems)
        return cls(values, places)


def _parse(path: Path) -> Iterator[tuple[str, int, Any]]:
    """Yield the name, the line and the value of each key."""
    try:
        loader = yaml.SafeLoader(path.read_text())
        root = loader.get_single_node()
        if root is None:
            return
        if not isinstance(root, yaml.MappingNode):
            raise InvalidConfigFile([f"{path}:{root.start_mark.line + 1}: the file is not a mapping"])
        for key, value in root.value:
            yield str(key.value), key.start_mark.line + 1, loader.construct_object(value, deep=True)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InvalidConfigFile([f"{path}:{line}: {error.problem}"]) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidConfigFile([f"{path} cannot be read: {error}"]) from error


def _suggest(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
