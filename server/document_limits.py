"""How large an operation may be, before anything of it is done.

Strawberry's own limiters walk a fragment again at each spread of it: thirty fragments that each spread the next one
twice keep them busy for hours. Here each fragment is measured once.
"""

from dataclasses import dataclass
from functools import reduce
from typing import Final

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
)

QUERY_LENGTH_MAX: Final = 50_000
"""Characters of the text."""

TOKENS_MAX: Final = 1_000
"""Words and brackets of the text; some checks of the GraphQL specification take their square."""

DEPTH_MAX: Final = 20
"""Fields within fields; what an IDE asks for to know the schema is 15 deep."""

FIELDS_MAX: Final = 1_000
"""Fields with every fragment written out."""

ALIASES_MAX: Final = 30
"""Fields under another name, with every fragment written out: the same question many times in one operation."""


@dataclass(frozen=True, slots=True)
class Size:
    """Of a part of a document, with every fragment written out."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0

    def beside(self, other: "Size") -> "Size":
        """The size of both, one after the other."""
        return Size(max(self.depth, other.depth), self.fields + other.fields, self.aliases + other.aliases)

    def within(self, field: FieldNode) -> "Size":
        """The size of a field that holds this."""
        return Size(self.depth + 1, self.fields + 1, self.aliases + bool(field.alias))


class DocumentLimits(ValidationRule):
    """Refuses an operation that is over one of the limits."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        definitions = context.document.definitions
        self._fragments = {node.name.value: node for node in definitions if isinstance(node, FragmentDefinitionNode)}
        self._sizes: dict[str, Size] = {}
        for node in definitions:
            if isinstance(node, OperationDefinitionNode):
                self._check(node, self._size(node.selection_set))

    def _check(self, operation: OperationDefinitionNode, size: Size) -> None:
        for noun, measured, allowed in (
            ("levels deep", size.depth, DEPTH_MAX),
            ("fields", size.fields, FIELDS_MAX),
            ("aliases", size.aliases, ALIASES_MAX),
        ):
            if measured > allowed:
                self.report_error(
                    GraphQLError(f"This is too much for one operation: at most {allowed} {noun}.", operation)
                )

    def _size(self, selections: SelectionSetNode | None) -> Size:
        if selections is None:
            return Size()
        sizes = []
        for node in selections.selections:
            if isinstance(node, FragmentSpreadNode):
                sizes.append(self._fragment(node.name.value))
            elif isinstance(node, FieldNode):
                sizes.append(self._size(node.selection_set).within(node))
            else:
                sizes.append(self._size(getattr(node, "selection_set", None)))
        return reduce(Size.beside, sizes, Size())

    def _fragment(self, name: str) -> Size:
        """Measured once. A fragment that is not there, or that holds itself, is refused by other rules."""
        if name not in self._sizes and name in self._fragments:
            self._sizes[name] = Size()
            self._sizes[name] = self._size(self._fragments[name].selection_set)
        return self._sizes.get(name, Size())
