"""The GraphQL schema, put together: roots, scalars, caches, limits, and the masking of defects."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from typing import Any, Final

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLError,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.execution import ExecutionContext, ExecutionResult, PreExecutionError

from resolvers.mutation import Mutation
from resolvers.query import Query
from schema.booking_rule import BookingRule
from schema.context import Context
from schema.errors import (
    CapacityInUse,
    HoldExpired,
    InputError,
    PaymentDeclined,
    PriceChanged,
    RuleViolation,
    SoldOut,
    VersionConflict,
)
from schema.input_objects import make_inputs_at_once
from schema.scalars import SCALARS
from schema.series import SeriesConflict
from schema.series_change import SeriesUnchanged
from server.document_limits import QUERY_LENGTH_MAX
from server.documents import Documents
from server.execution import Execution
from server.masking import masked
from subscriptions.subscription import Subscription

NOT_TO_BE_MASKED: Final = (CannotGetOperationTypeError, InvalidOperationTypeError)
"""What Strawberry's view answers with a clear error of the request."""


def build_schema() -> "Schema":
    """The schema that is served; schema/schema.graphql is its text."""
    return Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        # Those that only an interface leads to.
        types=[
            BookingRule,
            InputError,
            SoldOut,
            RuleViolation,
            HoldExpired,
            VersionConflict,
            CapacityInUse,
            PaymentDeclined,
            PriceChanged,
            SeriesConflict,
            SeriesUnchanged,
        ],
        extensions=[Documents],
        execution_context_class=Execution,
        config=StrawberryConfig(scalar_map=SCALARS),
    )


class Schema(strawberry.Schema):
    """Strawberry's, with every error masked on its way out, whatever it comes from."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        _drop_null_defaults(self._schema)
        make_inputs_at_once(self)

    async def execute(self, query: str | None, *arguments: Any, **named: Any) -> ExecutionResult:
        """The result of a query or a mutation."""
        if _is_too_long(query):
            return PreExecutionError(data=None, errors=masked([_too_long()]))
        try:
            result = await super().execute(query, *arguments, **named)
        finally:
            _forget(named)
        result.errors = masked(result.errors)
        return result

    async def stream(self, query: str | None, *arguments: Any, **named: Any) -> AsyncGenerator[Any, None]:
        """The results of any operation, one by one; of a query or a mutation there is one."""
        return self._masked_stream(query, arguments, named)

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Strawberry would log every refusal here, with the variables; `masked` logs the defects."""

    async def _masked_stream(
        self, query: str | None, arguments: tuple[Any, ...], named: dict[str, Any]
    ) -> AsyncGenerator[Any, None]:
        if _is_too_long(query):
            yield PreExecutionError(data=None, errors=masked([_too_long()]))
            return
        try:
            results: Any = await super().stream(query, *arguments, **named)
            async with aclosing(results):
                async for result in results:
                    result.errors = masked(result.errors)
                    yield result
        except NOT_TO_BE_MASKED:
            raise
        except Exception as error:  # noqa: BLE001 - masked, and logged with its trace
            defect = GraphQLError(str(error), original_error=error)
            yield PreExecutionError(data=None, errors=masked([defect]))
        finally:
            _forget(named)


def _forget(named: Mapping[str, Any]) -> None:
    """Let go of what the operation has loaded: its loaders hold each other (`server.execution`)."""
    context = named.get("context_value")
    if isinstance(context, Context):
        context.loaders.renew()


def _drop_null_defaults(schema: GraphQLSchema) -> None:
    """What may be left out has no default, rather than null: to our code it is the same, and the contract has none."""
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            taken: Iterable[GraphQLInputField | GraphQLArgument] = type_.fields.values()
        elif isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            taken = [argument for field in type_.fields.values() for argument in field.args.values()]
        else:
            continue
        for each in taken:
            if each.default_value is None:
                each.default_value = Undefined


def _is_too_long(query: str | None) -> bool:
    return query is not None and len(query) > QUERY_LENGTH_MAX


def _too_long() -> GraphQLError:
    return GraphQLError(f"The operation is longer than {QUERY_LENGTH_MAX:,} characters.")
