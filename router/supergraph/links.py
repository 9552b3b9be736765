"""What a supergraph calls the directives of federation's specifications.

A specification is linked to the schema by its address, `@link(url: "https://specs.apollo.dev/cost/v0.1")`,
and its directives may be imported under other names, or be put behind another prefix. What no specification
has been linked for means what its name says, as in a supergraph that links nothing. A specification that
decides who may see what, or how operations are executed, must be one that the router knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    Node,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    value_from_ast_untyped,
)

SPECIFICATIONS: Mapping[str, tuple[str, ...]] = {
    "authenticated": ("authenticated",),
    "context": ("context",),
    "cost": ("cost", "listSize"),
    "inaccessible": ("inaccessible",),
    "policy": ("policy",),
    "requiresScopes": ("requiresScopes",),
}
"""The directives that the router reads, by the specification that defines them."""

VERSIONS: Mapping[str, frozenset[str]] = {
    "authenticated": frozenset({"0.1"}),
    "context": frozenset({"0.1"}),
    "core": frozenset({"0.1", "0.2"}),
    "cost": frozenset({"0.1"}),
    "inaccessible": frozenset({"0.1", "0.2"}),
    "join": frozenset({"0.1", "0.2", "0.3", "0.4", "0.5"}),
    "link": frozenset({"1.0"}),
    "policy": frozenset({"0.1"}),
    "requiresScopes": frozenset({"0.1"}),
    "tag": frozenset({"0.1", "0.2", "0.3"}),
}
"""The versions of federation's specifications that the router was written for."""

# What the elements of these are called where nothing is linked: join v0.1 came before links.
_UNLINKED = frozenset({"core", "join", "link"})
_FEDERATION = "https://specs.apollo.dev"
_ADDRESS = re.compile(r"(?:(?P<origin>.*?)/)?(?P<name>[^/]+)(?:/v(?P<version>\d+\.\d+))?/?")


@dataclass(frozen=True, slots=True)
class Link:
    """One specification that a schema uses; its `purpose` is what it cannot be left out for."""

    address: str
    origin: str
    name: str
    version: str | None
    purpose: str | None
    prefix: str
    imported: Mapping[str, str]
    """What imported directives are called here."""

    @property
    def directives(self) -> tuple[str, ...]:
        """Those of its directives that the router reads."""
        return SPECIFICATIONS.get(self.name, ()) if self.origin == _FEDERATION else ()

    @property
    def is_understood(self) -> bool:
        """Whether a schema that uses it can be served.

        What is not known may be passed over if it has no purpose (link v1.0, "Purpose").
        """
        if self.origin == _FEDERATION and self.name in VERSIONS:
            return self.version in VERSIONS[self.name]
        return self.purpose is None

    def called(self, directive: str) -> str:
        """What one of its directives is called here."""
        prefixed = self.prefix if directive == self.name else f"{self.prefix}__{directive}"
        return self.imported.get(directive, prefixed)


class Vocabulary:
    """The directives of federation's specifications in one supergraph, under whatever names."""

    def __init__(self, document: DocumentNode) -> None:
        self.links = links = tuple(_links(document))
        self._prefixes = _UNLINKED.union(link.prefix for link in links)
        linked = {directive for link in links for directive in link.directives}
        # Names that others use are theirs, even if they sound like federation's.
        taken = {name for link in links for name in (link.called(link.name), *link.imported.values())}
        self._meanings = {
            name: name
            for names in SPECIFICATIONS.values()
            for name in names
            if name not in linked and name not in taken
        }
        self._meanings.update(
            (link.called(directive), directive) for link in links for directive in link.directives
        )

    def meaning(self, directive: DirectiveNode) -> str | None:
        """The name that federation's specification gives an applied directive; None if it is not of these."""
        return self._meanings.get(directive.name.value)

    def is_internal(self, name: str) -> bool:
        """Whether a type or a directive belongs to a specification, by the prefix of its name.

        `join__Graph` does; `Order__Item` is a name like any other where nothing is linked as `Order`.
        """
        prefix, separator, _ = name.partition("__")
        return bool(separator) and prefix in self._prefixes

    def applied(self, node: Node, name: str) -> Iterator[dict[str, Any]]:
        """The arguments of each application of a directive to a definition."""
        for directive in getattr(node, "directives", None) or ():
            if self.meaning(directive) == name:
                yield _arguments(directive)


def _links(document: DocumentNode) -> Iterator[Link]:
    applied = [
        (directive.name.value, _arguments(directive))
        for node in document.definitions
        if isinstance(node, SchemaDefinitionNode | SchemaExtensionNode)
        for directive in node.directives or ()
    ]
    # The directive that links is itself linked, first as `@core` and now as `@link`, or under another name.
    linking = {
        name
        for name, arguments in applied
        if (link := _link(arguments)) and link.name in ("core", "link") and link.prefix == name
    }
    for name, arguments in applied:
        if name in linking and (link := _link(arguments)):
            yield link


def _link(arguments: Mapping[str, Any]) -> Link | None:
    address = str(arguments.get("url") or arguments.get("feature") or "")
    parts = _ADDRESS.fullmatch(address)
    if parts is None:
        return None
    prefix = arguments.get("as") or parts["name"]
    imported = dict(_imported(each) for each in arguments.get("import") or ())
    return Link(
        address=address,
        origin=parts["origin"] or "",
        name=parts["name"],
        version=parts["version"],
        purpose=arguments.get("for"),
        prefix=prefix,
        imported=imported,
    )


def _imported(element: Any) -> tuple[str, str]:
    name, called = (
        (element["name"], element.get("as") or element["name"])
        if isinstance(element, Mapping)
        else (element, element)
    )
    return name.removeprefix("@"), called.removeprefix("@")


def _arguments(directive: DirectiveNode) -> dict[str, Any]:
    return {each.name.value: value_from_ast_untyped(each.value) for each in directive.arguments or ()}
