"""Random generation of valid operations on a schema."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    OperationType,
    get_named_type,
    is_composite_type,
    is_required_argument,
    parse,
    validate,
)

ALIASES = (
    "a",
    "b",
    "name",
    "size",
    "id",
    "_a",
    "__a",
    "_entities",
    "_0",
    "_x_1",
    "_name_1",
    "_id_1",
    "representations",
)
_LITERALS = {"Int": "5", "String": '"s \\" é"', "ID": '"i"', "Boolean": "true", "Float": "1.5"}
CONDITIONS = ("c0", "c1", "c2")
SMALL = 0.3


@dataclass(frozen=True, slots=True)
class Request:
    """A document, the name of the operation to run, and the sets of variables to run it with."""

    text: str
    name: str | None
    variables: tuple[dict[str, Any], ...]

    @property
    def first(self) -> Request:
        """The same request with only the first set of variables."""
        return replace(self, variables=self.variables[:1])


@dataclass(slots=True)
class _Operation:
    declared: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    fields: int = 0


class Operations:
    """Generates operations on one schema."""

    def __init__(self, schema: GraphQLSchema, random: Random) -> None:
        self._schema = schema
        self._random = random
        self._fragments: dict[str, str] = {}
        self._operation = _Operation()

    def generate_request(self) -> Request | None:
        """Generates a valid request; None if the document could not be made valid."""
        random = self._random
        self._fragments = {}
        kinds = ["query", "query", "query"]
        if self._schema.mutation_type:
            kinds.append("mutation")
        kind = random.choice(kinds)
        small = random.random() < SMALL
        self._limit = random.choice((3, 4, 5, 6) if small else (5, 8, 12, 20, 40))
        self._depth = random.choice((3, 4, 6))
        self._wild = random.random() < 0.5
        self._conditional = 0.0 if small else random.choice((0.0, 0.0, 0.15, 0.4))
        self._fragmented = 0.1 if small else random.choice((0.1, 0.3, 0.5))
        root = self._schema.get_root_type(OperationType(kind))
        assert root is not None
        self._operation = _Operation()
        self._named: list[tuple[str, GraphQLNamedType, str]] = []
        body = self._write_selections(root, 0)
        name = "Main" if random.random() < 0.5 else None
        declared = ", ".join(f"${key}: {type_}" for key, type_ in self._operation.declared.items())
        head = f"{kind}{' ' + name if name else ''}{f'({declared})' if declared else ''}"
        texts = [f"{head} {body}", *(text for _, _, text in self._named)]
        if name and random.random() < 0.15:
            texts.append("query Other { __typename }")
        document = _make_valid(self._schema, "\n".join(texts))
        return Request(document, name, tuple(self._choose_variables())) if document else None

    def _choose_variables(self) -> list[dict[str, Any]]:
        """Chooses the values of variables, for a few combinations of the conditions."""
        conditions = [each for each in CONDITIONS if each in self._operation.declared]
        others = {key: value for key, value in self._operation.values.items() if key not in conditions}
        if not conditions:
            return [others]
        found = []
        for number in self._random.sample(range(2 ** len(conditions)), min(3, 2 ** len(conditions))):
            chosen = {each: bool(number >> index & 1) for index, each in enumerate(conditions)}
            found.append(others | chosen)
        return found

    def _write_selections(self, type_: GraphQLNamedType, depth: int) -> str:
        random = self._random
        if not isinstance(type_, GraphQLObjectType) and random.random() < 0.5 and depth < self._depth:
            return self._write_selections_by_type(type_, depth)
        count = random.choices((1, 2, 3, 4, 5), (4, 6, 4, 1, 1))[0]
        return "{ " + " ".join(self._write_selection(type_, depth) for _ in range(count)) + " }"

    def _write_selections_by_type(self, type_: GraphQLNamedType, depth: int) -> str:
        """Writes selections by concrete type, which may use one response name differently."""
        random = self._random
        parts = [f"__typename{self._write_directives()}"] if random.random() < 0.3 else []
        if isinstance(type_, GraphQLInterfaceType):
            parts += [self._write_field(type_, depth) for _ in range(random.choices((0, 1, 2), (2, 4, 1))[0])]
        possible = sorted(self._find_possible_types(type_))
        for name in random.sample(possible, min(len(possible), random.randint(1, 3))):
            on = self._schema.type_map[name]
            fields = [self._write_field(on, depth) for _ in range(random.choices((1, 2), (3, 1))[0])]
            parts.append(f"... on {name}{self._write_directives()} {{ {' '.join(fields)} }}")
        random.shuffle(parts)
        return "{ " + " ".join(parts) + " }"

    def _write_selection(self, type_: GraphQLNamedType, depth: int) -> str:
        random = self._random
        fragment = self._fragmented if isinstance(type_, GraphQLObjectType) else self._fragmented + 0.2
        if isinstance(type_, GraphQLUnionType):
            fragment = 0.8
        if random.random() < fragment and self._operation.fields < self._limit:
            return self._write_fragment(type_, depth)
        if isinstance(type_, GraphQLUnionType) or random.random() < 0.12:
            alias = f"{self._choose_alias()}: " if random.random() < 0.3 else ""
            return f"{alias}__typename{self._write_directives()}"
        return self._write_field(type_, depth)

    def _choose_alias(self) -> str:
        fields = [name for name in self._field_names if not name.startswith("__")]
        return self._random.choice([*ALIASES, *fields] if self._wild else ["a", "b", "c", *fields])

    @property
    def _field_names(self) -> list[str]:
        if not hasattr(self, "_known_names"):
            names = {
                name
                for type_ in self._schema.type_map.values()
                if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__")
                for name in type_.fields
            }
            self._known_names = sorted(names)
        return self._known_names

    def _write_field(self, type_: Any, depth: int) -> str:
        random = self._random
        names = list(type_.fields)
        name = random.choice(names)
        full = depth >= self._depth or self._operation.fields >= self._limit
        if full:
            leaves = [
                each for each in names if not is_composite_type(get_named_type(type_.fields[each].type))
            ]
            if not leaves:
                return "__typename"
            name = random.choice(leaves)
        self._operation.fields += 1
        each = type_.fields[name]
        alias = f"{self._choose_alias()}: " if random.random() < (0.4 if self._wild else 0.15) else ""
        below = ""
        named = get_named_type(each.type)
        if is_composite_type(named):
            below = " " + self._write_selections(named, depth + 1)
        return f"{alias}{name}{self._write_arguments(each.args)}{self._write_directives()}{below}"

    def _write_fragment(self, type_: GraphQLNamedType, depth: int) -> str:
        random = self._random
        self._operation.fields += 1
        on = self._choose_type_condition(type_)
        if random.random() < 0.3:
            usable = [(name, on_) for name, on_, _ in self._named if self._can_overlap(type_, on_)]
            if usable and random.random() < 0.5:
                return f"...{random.choice(usable)[0]}{self._write_directives()}"
            text = self._write_selections(on, depth)
            name = f"F{len(self._named)}"
            self._named.append((name, on, f"fragment {name} on {on.name} {text}"))
            return f"...{name}{self._write_directives()}"
        condition = "" if on is type_ and random.random() < 0.5 else f" on {on.name}"
        return f"...{condition}{self._write_directives()} {self._write_selections(on, depth)}"

    def _choose_type_condition(self, type_: GraphQLNamedType) -> GraphQLNamedType:
        possible = [
            each
            for each in self._schema.type_map.values()
            if is_composite_type(each) and not each.name.startswith("__") and self._can_overlap(type_, each)
        ]
        return self._random.choice([*possible, type_])

    def _can_overlap(self, one: GraphQLNamedType, other: GraphQLNamedType) -> bool:
        return bool(self._find_possible_types(one) & self._find_possible_types(other))

    def _find_possible_types(self, type_: GraphQLNamedType) -> set[str]:
        if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
            return {each.name for each in self._schema.get_possible_types(type_)}
        return {type_.name}

    def _write_directives(self) -> str:
        random = self._random
        text = ""
        for directive in ("include", "skip"):
            if random.random() < self._conditional:
                if random.random() < 0.08:
                    text += f" @{directive}(if: {random.choice(('true', 'false'))})"
                    continue
                name = random.choice(CONDITIONS)
                self._operation.declared.setdefault(
                    name, random.choice(("Boolean!", "Boolean!", "Boolean = true"))
                )
                text += f" @{directive}(if: ${name})"
        return text

    # Arguments.

    def _write_arguments(self, arguments: dict[str, GraphQLArgument]) -> str:
        random = self._random
        parts = []
        for name, argument in arguments.items():
            if not is_required_argument(argument) and random.random() < 0.4:
                continue
            parts.append(f"{name}: {self._write_value(argument.type, argument.default is not None)}")
        random.shuffle(parts)
        return f"({', '.join(parts)})" if parts else ""

    def _write_value(self, type_: Any, defaulted: bool = False) -> str:
        random = self._random
        if random.random() < 0.35:
            return self._write_variable(type_, defaulted)
        if isinstance(type_, GraphQLNonNull):
            return self._write_literal(type_.of_type)
        return "null" if random.random() < 0.1 else self._write_literal(type_)

    def _write_literal(self, type_: Any) -> str:
        random = self._random
        if isinstance(type_, GraphQLNonNull):
            return self._write_literal(type_.of_type)
        if isinstance(type_, GraphQLList):
            if random.random() < 0.2:
                return self._write_literal(type_.of_type)
            return (
                "[" + ", ".join(self._write_value(type_.of_type) for _ in range(random.randint(0, 2))) + "]"
            )
        if isinstance(type_, GraphQLEnumType):
            return str(random.choice([*type_.values]))
        if isinstance(type_, GraphQLInputObjectType):
            parts = [
                f"{name}: {self._write_value(each.type, each.default is not None)}"
                for name, each in type_.fields.items()
                if random.random() < 0.4 and not isinstance(each.type, GraphQLInputObjectType)
            ]
            return "{" + ", ".join(parts) + "}"
        return str(_LITERALS[type_.name])

    def _write_variable(self, type_: Any, defaulted: bool) -> str:
        random = self._random
        fitting = [key for key, text in self._operation.declared.items() if text.split(" =")[0] == str(type_)]
        if fitting and random.random() < 0.5:
            return f"${random.choice(fitting)}"
        name = f"v{len(self._operation.declared)}"
        text = str(type_)
        nullable = text.rstrip("!") if text.endswith("!") else text
        default = self._write_constant(type_)
        if random.random() < 0.3:
            self._operation.declared[name] = f"{nullable} = {default}"
            if random.random() < 0.5:
                self._operation.values[name] = self._build_json(type_)
            return f"${name}"
        if defaulted and text.endswith("!"):
            text = nullable
        self._operation.declared[name] = text
        if text.endswith("!") or random.random() < 0.6:
            self._operation.values[name] = self._build_json(type_)
        elif random.random() < 0.3:
            self._operation.values[name] = None
        return f"${name}"

    def _write_constant(self, type_: Any) -> str:
        state = self._operation
        self._operation = _Operation()
        while True:
            text = self._write_literal(type_)
            if not self._operation.declared:
                break
            self._operation = _Operation()
        self._operation = state
        return text

    def _build_json(self, type_: Any) -> Any:
        if isinstance(type_, GraphQLNonNull):
            return self._build_json(type_.of_type)
        if isinstance(type_, GraphQLList):
            return [self._build_json(type_.of_type) for _ in range(self._random.randint(0, 2))]
        if isinstance(type_, GraphQLEnumType):
            return self._random.choice([*type_.values])
        if isinstance(type_, GraphQLInputObjectType):
            return {"min": 4} if self._random.random() < 0.7 else {"in": ["ü", "\u2028"], "mood": "SHY"}
        return {"Int": -3, "String": "v'\"", "ID": "77", "Boolean": False, "Float": 0.25}[type_.name]


def _make_valid(schema: GraphQLSchema, text: str) -> str | None:
    """Changes response names until the document is valid; None if that does not succeed."""
    for attempt in range(8):
        errors = validate(schema, parse(text))
        if not errors:
            return text
        conflicting = {
            node.loc.start: node
            for error in errors
            if "conflict" in error.message
            for node in error.nodes or ()
            if isinstance(node, FieldNode) and node.loc
        }
        if not conflicting:
            raise AssertionError(f"{errors[0]}\n{text}")
        for start, node in sorted(conflicting.items(), reverse=True):
            assert node.name.loc
            text = f"{text[:start]}r{attempt}_{start}: {text[node.name.loc.start :]}"
    return None
