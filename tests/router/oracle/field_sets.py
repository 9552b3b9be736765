"""Field sets of a subgraph over fields that others resolve."""

from __future__ import annotations

from tests.router.oracle.generated_types import ENTITIES, LEAVES, LITERALS
from tests.router.oracle.placement import Placement


class FieldSets(Placement):
    """Subgraphs with field sets; a field that a set names and the subgraph lacks becomes external."""

    def _escape(self, text: str) -> str:
        return text.replace('"', '\\"')

    def _write_field(self, graph: str, type_name: str, name: str, depth: int = 0) -> str:
        """Writes a field for a field set, with selections if it needs any; empty if that is impossible."""
        each = self.objects[type_name].fields[name]
        needed = [key for key, type_ in each.arguments.items() if type_.endswith("!")]
        given = needed or [key for key in each.arguments if self.random.random() < 0.5]
        arguments = ", ".join(
            f"{key}: {'[7]' if type_.startswith('[') and key == 'n' else LITERALS[key]}"
            for key, type_ in each.arguments.items()
            if key in given
        )
        head = f"{name}({arguments})" if arguments else name
        named = each.type_name
        if named in LEAVES:
            return head
        self._place(graph, type_name, name)
        below = self._write_selections(graph, named, depth)
        return f"{head} {{ {below} }}" if below else ""

    def _write_selections(self, graph: str, named: str, depth: int, *, plain: bool = False) -> str:
        if named in self.objects:
            return self._write_object_selections(graph, named, depth, plain=plain)
        here = self.local[graph].get(named)
        if here is None or (graph, named) in self.as_object:
            return "id" if here else ""
        if here.keyword == "interface" and self.random.random() < 0.5:
            leaves = [name for name, each in here.fields.items() if each.type.strip("[]!") in LEAVES]
            leaves = [name for name in leaves if not here.fields[name].arguments]
            if leaves:
                return self.random.choice(leaves)
        possible = here.members or [
            each for each, local in self.local[graph].items() if named in local.interfaces
        ]
        some = self.random.sample(possible, self.random.randint(1, len(possible)))
        parts = [(each, self._write_object_selections(graph, each, depth, plain=plain)) for each in some]
        return " ".join(f"... on {each} {{ {text} }}" for each, text in parts if text)

    def _write_object_selections(self, graph: str, named: str, depth: int, *, plain: bool = False) -> str:
        here = self.local[graph].get(named)
        if here is None:
            return ""
        fields = [
            name
            for name, each in self.objects[named].fields.items()
            if self._may_define(graph, each.type_name)
        ]
        self.random.shuffle(fields)
        for name in fields:
            leaf = self.objects[named].fields[name].type_name in LEAVES
            if plain and (not leaf or self.objects[named].fields[name].arguments):
                continue
            if (leaf or depth < 1) and (text := self._write_field(graph, named, name, depth + 1)):
                known = name in here.fields
                placed = self._place(graph, named, name)
                if (not known and named in ENTITIES) or (not known and self.random.random() < 0.5):
                    placed.external = True
                return text
        return ""
