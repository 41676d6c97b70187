"""Documents, the texts of operations: read and validated once, and remembered.

One extension for what Strawberry has several for (limits, two caches): every extension costs each operation some time.
"""

from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Final

from graphql import DocumentNode, GraphQLError, GraphQLSchema, parse, specified_rules
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document

from server.document_limits import TOKENS_MAX, DocumentLimits
from server.operations import note_kind

DOCUMENTS_MAX: Final = 500
"""Documents that one process remembers."""

RULES: Final = (*specified_rules, DocumentLimits)


class Documents(SchemaExtension):
    """Gives an operation its document, with the errors found in it, and notes what kind of operation it is."""

    def on_parse(self) -> Iterator[None]:
        """What can not be read is left to Strawberry, who reads it again and tells why it can not."""
        context = self.execution_context
        context.parse_options["max_tokens"] = TOKENS_MAX
        if context.query is not None:
            with suppress(GraphQLError):
                context.graphql_document, errors = _read(context.schema._schema, context.query)
                context.pre_execution_errors = list(errors)
                with suppress(RuntimeError):  # the document has no such operation: it is refused
                    note_kind(context.operation_type)
        yield


@lru_cache(maxsize=DOCUMENTS_MAX)
def _read(schema: GraphQLSchema, text: str) -> tuple[DocumentNode, tuple[GraphQLError, ...]]:
    document = parse(text, max_tokens=TOKENS_MAX)
    return document, tuple(validate_document(schema, document, RULES))
