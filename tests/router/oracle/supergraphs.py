"""Random subgraphs that are meant to compose: one graph of types, spread over several subgraphs."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from tests.router.oracle.federation_features import FederationFeatures
from tests.router.oracle.placement import LocalField, LocalType

HEAD = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.8", import: ["@key", "@shareable", '
    '"@external", "@requires", "@provides", "@override", "@inaccessible", "@interfaceObject", "@context", '
    '"@fromContext"])'
)


def generate_graph(seed: int, added: Sequence[tuple[str, str, str]] = ()) -> dict[str, str]:
    """The subgraphs of one seed, by name, with some more fields, each by subgraph, type and name."""
    printer = _Printer(Random(seed))  # noqa: S311 - a seed makes it repeatable
    printer.add_features(added)
    return {graph: printer.print_schema(graph) for graph in printer.graphs}


class _Printer(FederationFeatures):
    """Writes the schemas of subgraphs."""

    def print_schema(self, graph: str) -> str:
        lines = [HEAD]
        for name, here in self.local[graph].items():
            lines.append(self._print_definition(graph, name, here))
        return "\n".join(lines) + "\n"

    def _print_definition(self, graph: str, name: str, here: LocalType) -> str:
        match here.keyword:
            case "enum":
                return "enum Mood { CALM WILD SHY }"
            case "input":
                return "input Like { min: Int = 1 in: [String!] mood: Mood not: Like }"
            case "union":
                return f"union {name} = {' | '.join(here.members)}"
        implements = f" implements {' & '.join(here.interfaces)}" if here.interfaces else ""
        keys = "".join(
            f' @key(fields: "{key}"{"" if resolvable else ", resolvable: false"})'
            for key, resolvable in here.keys.items()
        )
        directives = "".join(f" {each}" for each in here.directives)
        fields = "".join(
            f"  {self._print_field(graph, name, each, placed)}\n" for each, placed in here.fields.items()
        )
        return f"{here.keyword} {name}{implements}{keys}{directives} {{\n{fields}}}"

    def _print_field(self, graph: str, type_name: str, name: str, placed: LocalField) -> str:
        definitions = [
            f"{key}: {type_}" for key, type_ in placed.arguments.items()
        ] + placed.contextual_arguments
        arguments = f"({', '.join(definitions)})" if definitions else ""
        directives = [*placed.directives]
        owners = [
            owner
            for owner in self._list_owners(type_name, name)
            if not any(
                each.startswith("@override") for each in self.local[owner][type_name].fields[name].directives
            )
        ]
        interface = self.local[graph][type_name].keyword == "interface"
        shared = len(owners) > 1 and not placed.external and not interface
        if shared and not placed.key and "@shareable" not in directives:
            directives.append("@shareable")
        if placed.external:
            directives = [each for each in directives if "inaccessible" in each] + ["@external"]
        return " ".join([f"{name}{arguments}: {placed.type}", *directives])
