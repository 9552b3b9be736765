"""The placement of a generated graph in subgraphs: each has the types it uses and some of their fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from tests.router.oracle.generated_types import ENTITIES, VALUES, Field, GeneratedTypes, Kind


@dataclass(slots=True)
class LocalField:
    """A field in one subgraph."""

    type: str
    arguments: dict[str, str]
    external: bool = False
    key: bool = False
    directives: list[str] = field(default_factory=list)
    contextual_arguments: list[str] = field(default_factory=list)


@dataclass(slots=True)
class LocalType:
    """A type in one subgraph."""

    keyword: str
    keys: dict[str, bool] = field(default_factory=dict)
    fields: dict[str, LocalField] = field(default_factory=dict)
    interfaces: list[str] = field(default_factory=list)
    members: list[str] = field(default_factory=list)
    directives: list[str] = field(default_factory=list)


class Placement(GeneratedTypes):
    """A generated graph that is spread over subgraphs; `local` has the types of each."""

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        self.local: dict[str, dict[str, LocalType]] = {graph: {} for graph in self.graphs}
        for kind in [*self.objects.values()]:
            self._spread(kind)
        for graph, interface in sorted(self.as_object):
            if self._list_implementers(interface):
                self._use(graph, interface)
        for graph in self.graphs:
            self._place_roots(graph)

    def _may_define(self, graph: str, named: str) -> bool:
        """Whether a subgraph may use a type: none may have both an interface object and its types."""
        if named in self.objects:
            return not any((graph, each) in self.as_object for each in self.objects[named].interfaces)
        if named in self.interfaces:
            if (graph, named) in self.as_object:
                return True
            implementers = self._list_implementers(named)
            every = all if named in self.keyed else any
            return bool(implementers) and every(self._may_define(graph, each) for each in implementers)
        if named in self.unions:
            return any(self._may_define(graph, each) for each in self.unions[named])
        return True

    def _use(self, graph: str, named: str) -> None:
        """Defines a type in a subgraph that names it, with all that it needs there."""
        if named in self.local[graph] or named in {"Int", "String", "Boolean", "Float", "ID"}:
            return
        if named in self.interfaces:
            self._use_interface(graph, named)
        elif named in self.unions:
            self._use_union(graph, named)
        elif named in ENTITIES:
            self._use_entity(graph, self.objects[named])
        elif named in self.objects:
            self._use_value(graph, self.objects[named])
        else:
            self.local[graph][named] = LocalType("enum" if named == "Mood" else "input")
            if named == "Like":
                self._use(graph, "Mood")

    def _use_entity(self, graph: str, kind: Kind) -> None:
        random = self.random
        here = self.local[graph][kind.name] = LocalType("type")
        count = random.choices((1, 2), (3, 1))[0]
        chosen = random.sample(kind.keys, min(count, len(kind.keys)))
        keyed = any(name in self.keyed for name in kind.interfaces)
        if keyed:
            chosen = [*dict.fromkeys(["id", *chosen])]
        for key in chosen:
            self._add_key(graph, here, kind, key)
        if random.random() < 0.1 and not keyed:
            here.keys = dict.fromkeys(here.keys, False)

    def _add_key(self, graph: str, here: LocalType, kind: Kind, key: str) -> None:
        here.keys[key] = True
        outer, _, inner = key.partition(" {")
        for name in outer.split():
            self._place(graph, kind.name, name).key = True
        if inner:
            named = kind.fields[outer].type_name
            self._place(graph, named, inner.strip(" }"))
            self.local[graph][named].fields[inner.strip(" }")].key |= named in ENTITIES

    def _use_value(self, graph: str, kind: Kind) -> None:
        self.local[graph][kind.name] = LocalType("type")
        names = [name for name in kind.fields if self._may_define(graph, kind.fields[name].type_name)]
        if self.traits.partial and len(names) > 1 and self.random.random() < 0.7:
            names = self.random.sample(names, self.random.randint(1, len(names) - 1))
        for name in names:
            self._place(graph, kind.name, name)
        if not names:
            self.local[graph][kind.name].fields["stub"] = LocalField("Int", {})

    def _use_union(self, graph: str, named: str) -> None:
        possible = [each for each in self.unions[named] if self._may_define(graph, each)]
        count = len(possible) if self.random.random() < 0.6 else self.random.randint(1, len(possible))
        members = self.random.sample(possible, count)
        self.local[graph][named] = LocalType("union", members=members)
        for each in members:
            self._use(graph, each)

    def _use_interface(self, graph: str, named: str) -> None:
        random = self.random
        kind = self.interfaces[named]
        if (graph, named) in self.as_object:
            self._use_interface_object(graph, named)
            return
        here = self.local[graph][named] = LocalType("interface")
        implementers = [each for each in self._list_implementers(named) if self._may_define(graph, each)]
        if named in self.keyed and len(implementers) == len(self._list_implementers(named)):
            if random.random() < 0.85:
                here.keys["id"] = True
            here.fields["id"] = LocalField("ID!", {})
        elif random.random() < 0.3:
            implementers = random.sample(implementers, random.randint(1, len(implementers)))
        names = [name for name in kind.fields if self._may_define(graph, kind.fields[name].type_name)]
        if len(names) > 1 and random.random() < 0.3:
            names = random.sample(names, random.randint(1, len(names)))
        for name in names:
            here.fields[name] = LocalField(kind.fields[name].type, kind.fields[name].arguments)
            self._use_all(graph, here.fields[name])
        if not here.fields:
            here.fields["stub"] = LocalField("Int", {})
        for each in implementers:
            self._implement(graph, named, each)

    def _use_interface_object(self, graph: str, named: str) -> None:
        random = self.random
        here = self.local[graph][named] = LocalType(
            "type", keys={"id": True}, directives=["@interfaceObject"]
        )
        here.fields["id"] = LocalField("ID!", {}, key=True)
        for number in range(random.randint(1, 3)):
            name = f"{graph}{named}{number}"
            each = self._generate_field(named)
            if self._may_define(graph, each.type_name):
                here.fields[name] = LocalField(each.type, each.arguments)
                self._use_all(graph, here.fields[name])
                self._know_all_of(graph, each.type_name)

    def _know_all_of(self, graph: str, named: str) -> None:
        """Lets a subgraph resolve all fields of a value, where the composer does not see that they lack."""
        for member in self.local[graph][named].members if named in self.unions else ():
            self._know_all_of(graph, member)
        for member, local in [*self.local[graph].items()] if named in self.interfaces else ():
            if named in local.interfaces:
                self._know_all_of(graph, member)
        for name, each in self.objects[named].fields.items() if named in VALUES else ():
            if self._may_define(graph, each.type_name):
                self._place(graph, named, name)

    def _implement(self, graph: str, interface: str, named: str) -> None:
        self._use(graph, named)
        here = self.local[graph][named]
        here.interfaces.append(interface)
        for name in self.local[graph][interface].fields:
            if name == "stub":
                here.fields["stub"] = LocalField("Int", {})
            elif name not in here.fields:
                placed = self._place(graph, named, name)
                placed.external = named in ENTITIES and not placed.key and self.random.random() < 0.25

    def _place(self, graph: str, type_name: str, name: str) -> LocalField:
        """A field of a type in a subgraph, added if it is not there."""
        self._use(graph, type_name)
        here = self.local[graph][type_name]
        if name not in here.fields:
            each = self.objects[type_name].fields[name]
            placed = here.fields[name] = LocalField(
                self._vary_type(each, type_name, name), dict(each.arguments)
            )
            self._use_all(graph, placed)
        return here.fields[name]

    def _vary_type(self, each: Field, type_name: str, name: str) -> str:
        """The type of a field as one subgraph has it: here and there stricter than elsewhere."""
        if not self.traits.looser or each.type.endswith("!") or self.random.random() < 0.7:
            return each.type
        del type_name, name
        return f"{each.type}!"

    def _use_all(self, graph: str, placed: LocalField) -> None:
        self._use(graph, placed.type.strip("[]!"))
        for type_ in placed.arguments.values():
            self._use(graph, type_.split(" =")[0].strip("[]!"))

    def _spread(self, kind: Kind) -> None:
        """Gives the fields of an entity to subgraphs, some of them to several."""
        if not kind.keys:
            return
        random = self.random
        homes = [graph for graph in self.graphs if self._may_define(graph, kind.name)]
        homes = random.sample(homes, min(len(homes), random.choices((1, 2, 3), (1, 5, 3))[0]))
        for name in [*kind.fields]:
            able = [graph for graph in homes if self._may_define(graph, kind.fields[name].type_name)]
            if not able:
                able = [graph for graph in self.graphs if self._may_define(graph, kind.name)]
                able = [graph for graph in able if self._may_define(graph, kind.fields[name].type_name)][:1]
            count = random.choices((1, 2, 3), (7, 3, 1))[0]
            if self.traits.partial and kind.fields[name].type_name in VALUES:
                count = len(able)
            for graph in random.sample(able, min(count, len(able))):
                self._place(graph, kind.name, name)

    def _place_roots(self, graph: str) -> None:
        random = self.random
        for number in range(random.randint(1, 3)):
            each = self._generate_field("Query", leaf=0.1)
            abstract = [*self.interfaces, *self.unions]
            if abstract and random.random() < 0.4:
                each.type = self._wrap(random.choice(abstract))
            if self._may_define(graph, each.type_name):
                self._add_root("Query", graph, f"{graph}{number}", each)
                if random.random() < 0.15:
                    other = random.choice(self.graphs)
                    if self._may_define(other, each.type_name):
                        self._add_root("Query", other, f"{graph}{number}", each)
        for number in range(random.randint(1, 2) if self.traits.mutations else 0):
            each = self._generate_field("Mutation", leaf=0.3)
            if self._may_define(graph, each.type_name):
                self._add_root("Mutation", graph, f"do{graph.upper()}{number}", each)

    def _add_root(self, kind: str, graph: str, name: str, each: Field) -> None:
        here = self.local[graph].setdefault(kind, LocalType("type"))
        here.fields[name] = LocalField(each.type, dict(each.arguments))
        self._use_all(graph, here.fields[name])

    def _list_owners(self, type_name: str, name: str) -> list[str]:
        found = []
        for graph in self.graphs:
            here = self.local[graph].get(type_name)
            if here and name in here.fields and not here.fields[name].external:
                found.append(graph)
        return found

    def _find_owned_fields(self) -> list[tuple[str, Kind, str]]:
        """Fields of entities that one subgraph alone resolves."""
        found = []
        for kind in self._list_entities():
            for name in kind.fields:
                owners = self._list_owners(kind.name, name)
                if len(owners) == 1 and not self.local[owners[0]][kind.name].fields[name].key:
                    found.append((owners[0], kind, name))
        return found
