"""Federation features of generated subgraphs, such as `@requires`, `@provides` and `@override`."""

from __future__ import annotations

from collections.abc import Sequence

from tests.router.oracle.field_sets import FieldSets
from tests.router.oracle.generated_types import ENTITIES, LEAVES, Field, Kind
from tests.router.oracle.placement import LocalField, LocalType


class FederationFeatures(FieldSets):
    """Generated subgraphs with federation features."""

    def add_features(self, added: Sequence[tuple[str, str, str]]) -> None:
        """Adds the federation features, then the fields of `added`, each given by subgraph, type and name."""
        traits = self.traits
        if traits.requires:
            self._add_requirements()
        for graph in self.graphs if traits.provides else ():
            self._provide_in(graph)
        for graph, kind, name in self._find_owned_fields() if traits.overrides else ():
            if self.random.random() < 0.3:
                self._override(graph, kind, name)
        for graph in self.graphs if traits.contexts else ():
            self._add_contextual_argument(graph)
        if traits.hidden:
            self._hide_fields()
        for graph, type_name, name in added:
            self._add(graph, type_name, name)
        self._settle_externals()

    def _add_requirements(self) -> None:
        for graph, kind, name in self._find_owned_fields():
            if self.random.random() < 0.45:
                self._require(graph, kind, name)
        for graph, interface in sorted(self.as_object):
            if interface in self.local[graph]:
                self._require_of_interface(graph, interface)

    def _hide_fields(self) -> None:
        for graph, kind, name in self._find_owned_fields():
            plain = not any(name in self.interfaces[each].fields for each in kind.interfaces)
            if plain and self.random.random() < 0.15:
                self.local[graph][kind.name].fields[name].directives.append("@inaccessible")

    def _require(self, graph: str, kind: Kind, name: str) -> None:
        here = self.local[graph][kind.name]
        elsewhere = [
            each
            for each in kind.fields
            if self._list_owners(kind.name, each)
            and graph not in self._list_owners(kind.name, each)
            and self._may_define(graph, kind.fields[each].type_name)
        ]
        if not elsewhere or not here.keys or here.fields[name].directives:
            return
        chosen = self.random.sample(elsewhere, min(len(elsewhere), self.random.choices((1, 2), (3, 1))[0]))
        texts = [self._write_field(graph, kind.name, each) for each in chosen]
        if all(texts):
            for each in chosen:
                self._place(graph, kind.name, each).external = True
            here.fields[name].directives.append(f'@requires(fields: "{self._escape(" ".join(texts))}")')

    def _require_of_interface(self, graph: str, interface: str) -> None:
        """Lets fields of an interface object require fields of the interface."""
        here = self.local[graph][interface]
        kind = self.interfaces[interface]
        own = [name for name, each in here.fields.items() if not each.key]
        for name in own:
            wanted = [
                each
                for each, field_ in kind.fields.items()
                if field_.type_name in LEAVES and not field_.arguments and each not in own
            ]
            if wanted and self.random.random() < 0.5:
                each = self.random.choice(wanted)
                here.fields[each] = LocalField(kind.fields[each].type, {}, external=True)
                here.fields[name].directives.append(f'@requires(fields: "{each}")')

    def _provide_in(self, graph: str) -> None:
        for type_name, here in [*self.local[graph].items()]:
            if here.keyword != "type" or "@interfaceObject" in here.directives or type_name == "Mutation":
                continue
            for placed in [*here.fields.values()]:
                named = placed.type.strip("[]!")
                if named in LEAVES or placed.external or self.random.random() < 0.6:
                    continue
                if text := self._write_provided(graph, named):
                    placed.directives.append(f'@provides(fields: "{text}")')

    def _write_provided(self, graph: str, named: str) -> str:
        if named in ENTITIES:
            return self._write_provided_object(graph, named)
        here = self.local[graph].get(named)
        if here is None or here.keyword not in {"interface", "union"}:
            return ""
        possible = here.members or [
            each for each, local in self.local[graph].items() if named in local.interfaces
        ]
        possible = [each for each in possible if each in ENTITIES]
        if not possible:
            return ""
        each = self.random.choice(possible)
        text = self._write_provided_object(graph, each)
        return f"... on {each} {{ {text} }}" if text else ""

    def _write_provided_object(self, graph: str, named: str) -> str:
        kind, here = self.objects[named], self.local[graph][named]
        able = [
            name
            for name, each in kind.fields.items()
            if not each.arguments and (name not in here.fields or here.fields[name].external)
        ]
        self.random.shuffle(able)
        for name in able:
            owners = self._list_owners(named, name)
            each = kind.fields[name]
            if not owners or not self._may_define(graph, each.type_name):
                continue
            below = ""
            if each.type_name not in LEAVES:
                self._place(graph, named, name)
                below = self._write_selections(graph, each.type_name, 1, plain=True)
                if not below:
                    continue
            self._place(graph, named, name).external = True
            for owner in owners:
                theirs = self.local[owner][named].fields[name]
                if "@shareable" not in theirs.directives and not theirs.key:
                    theirs.directives.append("@shareable")
            return f"{name} {{ {below} }}" if below else name
        return ""

    def _override(self, graph: str, kind: Kind, name: str) -> None:
        others = [
            each
            for each in self.graphs
            if each != graph
            and kind.name in self.local[each]
            and name not in self.local[each][kind.name].fields
            and self._may_define(each, kind.fields[name].type_name)
        ]
        if not others or self.local[graph][kind.name].fields[name].directives:
            return
        placed = self._place(self.random.choice(others), kind.name, name)
        if placed.external:
            return
        label = self.random.choice(("", ', label: "percent(40)"', ', label: "later"'))
        placed.directives.append(f'@override(from: "{graph}"{label})')

    def _add_contextual_argument(self, graph: str) -> None:
        random = self.random
        objects = [
            (name, local)
            for name, local in self.local[graph].items()
            if local.keyword == "type" and name in self.objects and "@interfaceObject" not in local.directives
        ]
        setters = [
            (name, local, each)
            for name, local in objects
            for each, placed in local.fields.items()
            if placed.type.rstrip("!") in LEAVES and not placed.external and not placed.arguments
        ]
        if not setters:
            return
        name, local, each = random.choice(setters)
        local.directives.append(f'@context(name: "{graph}ctx")')
        type_ = local.fields[each].type.rstrip("!")
        self._use(graph, type_)
        for target, there in objects:
            if target not in ENTITIES or not any(there.keys.values()):
                continue
            for field_name, placed in there.fields.items():
                owned = not placed.key and not placed.external and not placed.directives
                owned &= len(self._list_owners(target, field_name)) == 1
                owned &= not any(field_name in self.interfaces[each].fields for each in there.interfaces)
                if target != name and owned and random.random() < 0.5:
                    placed.contextual_arguments.append(
                        f'given: {type_} @fromContext(field: "${graph}ctx {{ {each} }}")'
                    )
                    return

    def _add(self, graph: str, type_name: str, name: str) -> None:
        """Lets a subgraph resolve a field, so that it can be reached there."""
        if type_name in self.interfaces and name in self.interfaces[type_name].fields:
            each = self.interfaces[type_name].fields[name]
            here = self.local[graph].get(type_name)
            if here and here.keyword == "interface" and self._may_define(graph, each.type_name):
                here.fields[name] = LocalField(each.type, dict(each.arguments))
                self._use_all(graph, here.fields[name])
                for implementer in self._list_implementers(type_name):
                    there = self.local[graph].get(implementer)
                    if there and type_name in there.interfaces:
                        self._place(graph, implementer, name)
        elif type_name in self.objects and name in self.objects[type_name].fields:
            if self._may_define(graph, self.objects[type_name].fields[name].type_name):
                self._place(graph, type_name, name).external = False
        elif type_name == "Query":
            owner = next(
                each for each in self.graphs if name in self.local[each].get("Query", LocalType("")).fields
            )
            placed = self.local[owner]["Query"].fields[name]
            if self._may_define(graph, placed.type.strip("[]!")):
                self._add_root("Query", graph, name, Field(placed.type, placed.arguments))

    def _settle_externals(self) -> None:
        """Gives each external field the type that it has where it is resolved."""
        for kind in self.objects.values():
            for name in kind.fields:
                owners = [
                    self.local[owner][kind.name].fields[name] for owner in self._list_owners(kind.name, name)
                ]
                externals = [
                    here.fields[name]
                    for graph in self.graphs
                    if (here := self.local[graph].get(kind.name)) and name in here.fields
                ]
                if not owners and externals:
                    externals[0].external = False
                    owners = [externals[0]]
                loose = [owner.type for owner in owners if not owner.type.endswith("!")]
                for each in externals:
                    if each.external:
                        each.type = loose[0] if loose else owners[0].type
