"""Random generation of a whole graph: its types, fields and keys, before they are placed in subgraphs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random

ENTITIES = ("Ant", "Bee", "Cat", "Dog", "Elk")
VALUES = ("Box", "Cup", "Jar", "Pot")
INTERFACES = ("Thing", "Item", "Part")
UNIONS = ("Hit", "Pick")
NAMES = ("name", "size", "price", "box", "owner", "next", "parts", "tag", "rank", "mood", "best", "all")
LEAVES = ("Int", "String", "Boolean", "Float", "ID", "Mood")
ARGUMENTS = {
    "n": ("Int", "Int = 3", "Int!", "[Int!]"),
    "text": ("String", 'String = "x"', "ID"),
    "mood": ("Mood", "Mood = CALM"),
    "like": ("Like", "[Like!]", "Like!"),
}
LITERALS = {"n": "7", "text": '"t"', "mood": "WILD", "like": '{min: 2, in: ["i"]}'}


@dataclass(frozen=True, slots=True)
class Traits:
    """The sizes and features of one supergraph, chosen at random."""

    graphs: int
    entities: int
    values: int
    interfaces: int
    unions: int
    keyed: bool
    objects: bool
    partial: bool
    requires: bool
    provides: bool
    overrides: bool
    looser: bool
    arguments: bool
    mutations: bool
    hidden: bool
    contexts: bool
    extra: bool


@dataclass(slots=True)
class Field:
    """A field of the whole graph."""

    type: str
    arguments: dict[str, str] = field(default_factory=dict)

    @property
    def type_name(self) -> str:
        return self.type.strip("[]!")


@dataclass(slots=True)
class Kind:
    """An object type or an interface of the whole graph."""

    name: str
    fields: dict[str, Field] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    interfaces: list[str] = field(default_factory=list)


class GeneratedTypes:
    """A randomly generated graph of types."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.traits = self._choose_traits()
        self.graphs = tuple("abcde"[: self.traits.graphs])
        self.objects: dict[str, Kind] = {}
        self.interfaces: dict[str, Kind] = {}
        self.unions: dict[str, list[str]] = {}
        self.keyed: set[str] = set()
        self.as_object: set[tuple[str, str]] = set()
        self._generate()

    def _choose_traits(self) -> Traits:
        random = self.random

        def maybe(share: float) -> bool:
            return random.random() < share

        def some(*weights: int) -> int:
            return random.choices(range(len(weights)), weights)[0]

        small = maybe(0.6)
        return Traits(
            graphs=2 if small else 2 + some(4, 5, 2),
            entities=2 if small else 1 + some(2, 4, 3, 1),
            values=some(1, 1) if small else some(3, 5, 2),
            interfaces=1 if small else some(2, 6, 2),
            unions=some(4, 1) if small else some(5, 4, 1),
            keyed=maybe(0.75),
            objects=maybe(0.7),
            partial=maybe(0.6),
            requires=maybe(0.7),
            provides=maybe(0.5),
            overrides=maybe(0.25),
            looser=maybe(0.5),
            arguments=maybe(0.5),
            mutations=maybe(0.2),
            hidden=maybe(0.15),
            contexts=maybe(0.15),
            extra=maybe(0.3),
        )

    def _generate(self) -> None:
        traits, random = self.traits, self.random
        for name in ENTITIES[: traits.entities]:
            self.objects[name] = Kind(name)
        for name in VALUES[: traits.values]:
            self.objects[name] = Kind(name)
        for name in INTERFACES[: traits.interfaces]:
            self._generate_interface(name)
        for name in UNIONS[: traits.unions]:
            self.unions[name] = random.sample([*self.objects], min(len(self.objects), random.randint(2, 4)))
        for interface in self.interfaces.values():
            self._generate_fields(interface, random.randint(1, 3))
        for kind in self.objects.values():
            self._generate_fields(kind, random.randint(1, 4))
            self._inherit(kind)
        for kind in self._list_entities():
            self._generate_keys(kind)
        if traits.objects:
            self._choose_interface_objects()

    def _generate_interface(self, name: str) -> None:
        random = self.random
        entities = [kind.name for kind in self._list_entities()]
        pool = [*self.objects] if random.random() < 0.4 else entities
        chosen = random.sample(pool, min(len(pool), random.choices((1, 2, 3), (2, 5, 3))[0]))
        self.interfaces[name] = Kind(name)
        for each in chosen:
            self.objects[each].interfaces.append(name)
        if self.traits.keyed and set(chosen) <= set(entities) and random.random() < 0.7:
            self.keyed.add(name)

    def _list_entities(self) -> list[Kind]:
        return [kind for kind in self.objects.values() if kind.name in ENTITIES]

    def _list_implementers(self, interface: str) -> list[str]:
        return [kind.name for kind in self.objects.values() if interface in kind.interfaces]

    def _generate_fields(self, kind: Kind, count: int) -> None:
        for name in self.random.sample(NAMES, count):
            kind.fields.setdefault(name, self._generate_field(kind.name))

    def _generate_field(self, owner: str, *, leaf: float = 0.5) -> Field:
        random = self.random
        if random.random() < leaf:
            type_name = random.choice(LEAVES)
        else:
            type_name = random.choice([*self.objects, *self.interfaces, *self.interfaces, *self.unions])
            if owner in VALUES and type_name in VALUES and VALUES.index(type_name) <= VALUES.index(owner):
                type_name = random.choice(LEAVES)
        return Field(self._wrap(type_name), self._generate_arguments())

    def _wrap(self, type_name: str) -> str:
        shapes = ("{}", "{}!", "[{}]", "[{}!]", "[{}!]!", "[[{}!]]")
        return self.random.choices(shapes, (10, 4, 2, 2, 3, 1))[0].format(type_name)

    def _generate_arguments(self) -> dict[str, str]:
        if not self.traits.arguments or self.random.random() < 0.7:
            return {}
        names = self.random.sample([*ARGUMENTS], self.random.randint(1, 2))
        return {name: self.random.choice(ARGUMENTS[name]) for name in names}

    def _inherit(self, kind: Kind) -> None:
        for interface in kind.interfaces:
            for name, each in self.interfaces[interface].fields.items():
                shared = self._reconcile(kind, name, each)
                kind.fields[name] = replace(each, type=self._narrow(shared, kind))

    def _reconcile(self, kind: Kind, name: str, each: Field) -> str:
        """Gives a field the same type in all interfaces of a type that have it."""
        for other in kind.interfaces:
            theirs = self.interfaces[other].fields.get(name)
            if theirs is not None and (theirs.type, theirs.arguments) != (each.type, each.arguments):
                theirs.type, theirs.arguments = each.type, each.arguments
        return each.type

    def _narrow(self, type_: str, kind: Kind) -> str:
        """Narrows the type of an interface's field as an implementation may."""
        random = self.random
        type_name = type_.strip("[]!")
        if type_name in self.interfaces and random.random() < 0.2:
            possible = self._list_implementers(type_name)
            type_ = type_.replace(type_name, random.choice(possible))
        return f"{type_}!" if not type_.endswith("!") and random.random() < 0.35 else type_

    def _generate_keys(self, kind: Kind) -> None:
        random = self.random
        shapes = ["id", "sku", "id sku", "code", "owned", "valued", "listed"]
        weights = [8, 3, 2, 1, 2, 2, 1]
        chosen = random.choices(shapes, weights, k=random.choices((1, 2, 3), (6, 3, 1))[0])
        if any(name in self.keyed for name in kind.interfaces):
            chosen = ["id", *chosen]
        kind.keys = [*dict.fromkeys(self._generate_key(kind, shape) for shape in dict.fromkeys(chosen))]

    def _generate_key(self, kind: Kind, shape: str) -> str:
        plain = {"id": "ID!", "sku": "String!", "code": "Int!"}
        if shape in {"owned", "listed"}:
            others = [each for each in self._list_entities() if each.name != kind.name and each.keys]
            others = [each for each in others if each.keys[0] in plain]
            if others:
                other = self.random.choice(others)
                name, type_ = (
                    ("owned", f"{other.name}!") if shape == "owned" else ("listed", f"[{other.name}!]!")
                )
                kind.fields[name] = Field(type_)
                return f"{name} {{ {other.keys[0]} }}"
        if shape == "valued" and (values := [each for each in self.objects.values() if each.name in VALUES]):
            value = self.random.choice(values)
            value.fields["mark"] = Field("Int!")
            kind.fields["valued"] = Field(f"{value.name}!")
            return "valued { mark }"
        names = shape.split() if all(name in plain for name in shape.split()) else ["id"]
        for name in names:
            kind.fields[name] = Field(plain[name])
        return " ".join(names)

    def _choose_interface_objects(self) -> None:
        for interface in sorted(self.keyed):
            if len(self.graphs) > 1 and self.random.random() < 0.8:
                count = self.random.choices((1, 2), (4, 1))[0]
                for graph in self.random.sample(self.graphs[1:], min(count, len(self.graphs) - 1)):
                    self.as_object.add((graph, interface))
