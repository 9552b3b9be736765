"""Links: the names under which a supergraph uses the directives of federation's specifications.

A schema links a specification by its URL and may import its directives under other names or choose another
prefix: after `@link(url: "https://specs.apollo.dev/cost/v0.1", import: [{name: "@cost", as: "@price"}])`
`@price` means `@cost`, and `listSize`, which is not imported, is `@cost__listSize`. A directive whose
specification is not linked is known by its standard name. A specification for security or execution must be
one that the router knows.
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
"""The directives that the router reads, by specification."""

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
"""The versions of federation's specifications that the router supports."""

# Prefixes that are reserved even where nothing is linked: join v0.1 is older than links.
_UNLINKED = frozenset({"core", "join", "link"})
_FEDERATION = "https://specs.apollo.dev"
_ADDRESS = re.compile(r"(?:(?P<origin>.*?)/)?(?P<name>[^/]+)(?:/v(?P<version>\d+\.\d+))?/?")


@dataclass(frozen=True, slots=True)
class Link:
    """One `@link` or `@core`; its `purpose` is `SECURITY` or `EXECUTION` if consumers must support it."""

    address: str
    origin: str
    name: str
    version: str | None
    purpose: str | None
    prefix: str
    imports: Mapping[str, str]
    """The local names of imported elements, by their standard names."""

    @property
    def directives(self) -> tuple[str, ...]:
        """The directives of the specification that the router reads."""
        return SPECIFICATIONS.get(self.name, ()) if self.origin == _FEDERATION else ()

    @property
    def is_supported(self) -> bool:
        """Whether the router can serve a schema with this link.

        An unknown specification may be ignored if the link has no purpose (link v1.0, "Purpose").
        """
        if self.origin == _FEDERATION and self.name in VERSIONS:
            return self.version in VERSIONS[self.name]
        return self.purpose is None

    def get_local_name(self, directive: str) -> str:
        """The name under which the schema uses one of the specification's directives."""
        prefixed = self.prefix if directive == self.name else f"{self.prefix}__{directive}"
        return self.imports.get(directive, prefixed)


class Vocabulary:
    """The names of federation's directives in one supergraph."""

    def __init__(self, document: DocumentNode) -> None:
        self.links = links = tuple(_read_links(document))
        self._prefixes = _UNLINKED.union(link.prefix for link in links)
        linked = {directive for link in links for directive in link.directives}
        # A name that a link takes belongs to it, even if it is the standard name of another directive.
        taken = {name for link in links for name in (link.get_local_name(link.name), *link.imports.values())}
        self._standard_names = {
            name: name
            for names in SPECIFICATIONS.values()
            for name in names
            if name not in linked and name not in taken
        }
        self._standard_names.update(
            (link.get_local_name(directive), directive) for link in links for directive in link.directives
        )

    def get_standard_name(self, directive: DirectiveNode) -> str | None:
        """The name of an applied directive in its specification; None if the router does not read it."""
        return self._standard_names.get(directive.name.value)

    def is_internal(self, name: str) -> bool:
        """Whether a type or a directive belongs to a specification, judging by its prefix.

        `join__Graph` does; `Order__Item` is a name like any other where nothing is linked as `Order`.
        """
        prefix, separator, _ = name.partition("__")
        return bool(separator) and prefix in self._prefixes

    def iterate_applications(self, node: Node, name: str) -> Iterator[dict[str, Any]]:
        """The arguments of each application of a directive, given by its standard name, to a definition."""
        for directive in getattr(node, "directives", None) or ():
            if self.get_standard_name(directive) == name:
                yield _read_arguments(directive)


def _read_links(document: DocumentNode) -> Iterator[Link]:
    directives = [
        (directive.name.value, _read_arguments(directive))
        for node in document.definitions
        if isinstance(node, SchemaDefinitionNode | SchemaExtensionNode)
        for directive in node.directives or ()
    ]
    # The linking directive is linked itself: as `@core`, as `@link`, or under a name of the schema's choice.
    linking = {
        name
        for name, arguments in directives
        if (link := _read_link(arguments)) and link.name in ("core", "link") and link.prefix == name
    }
    for name, arguments in directives:
        if name in linking and (link := _read_link(arguments)):
            yield link


def _read_link(arguments: Mapping[str, Any]) -> Link | None:
    address = str(arguments.get("url") or arguments.get("feature") or "")
    parts = _ADDRESS.fullmatch(address)
    if parts is None:
        return None
    prefix = arguments.get("as") or parts["name"]
    imports = dict(_read_import(each) for each in arguments.get("import") or ())
    return Link(
        address=address,
        origin=parts["origin"] or "",
        name=parts["name"],
        version=parts["version"],
        purpose=arguments.get("for"),
        prefix=prefix,
        imports=imports,
    )


def _read_import(element: Any) -> tuple[str, str]:
    name, local_name = (
        (element["name"], element.get("as") or element["name"])
        if isinstance(element, Mapping)
        else (element, element)
    )
    return name.removeprefix("@"), local_name.removeprefix("@")


def _read_arguments(directive: DirectiveNode) -> dict[str, Any]:
    return {each.name.value: value_from_ast_untyped(each.value) for each in directive.arguments or ()}
