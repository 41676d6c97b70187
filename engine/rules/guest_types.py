"""GUEST_TYPES: who may come: adults, children, infants, by number and age."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from engine.rules.base import ANY_TYPE, GuestCount, Refusal, Rule, RuleFacts, RuleRequest
from engine.rules.parameters import Age, People, at_most, wrong
from engine.rules.parsing import Parameters

TYPES_MAX = 20
TYPE_PATTERN = r"^[A-Z][A-Z0-9_]{0,39}$"


class GuestType(Parameters):
    """Guests of one type: how many, and how old in whole years. An adult may look after children."""

    type: str = Field(pattern=TYPE_PATTERN, description="Such as ADULT: capitals, digits and _, at most 40.")
    min: People | None = Field(default=None, description="At least so many of them.")
    max: People | None = Field(default=None, description="At most so many of them.")
    min_age: Age | None = Field(default=None, description="At least so old, where ages are told.")
    max_age: Age | None = Field(default=None, description="At most so old, where ages are told.")
    ages_required: bool = Field(default=False, strict=True, description="Whether their ages must be told.")
    is_adult: bool = Field(default=False, strict=True, description="Whether they count as adults.")

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        at_most(self.min, self.max, "min", "max")
        at_most(self.min_age, self.max_age, "minAge", "maxAge")
        return self


def _each_once(types: tuple[GuestType, ...]) -> tuple[GuestType, ...]:
    if len({one.type for one in types}) < len(types):
        raise wrong("should name each type only once")
    return types


class GuestTypes(Rule):
    """The guests must be of these types, and of each as many and as old as it says.

    GUESTS_REQUIRED if no guests were told and `required`, or no ages where they are required. GUESTS_NOT_ALLOWED for a
    type that is not named, for an age out of bounds, and for more than `childrenPerAdult` who are no adults for each
    who is; with children an adult must always come, where `childrenPerAdult` is given. PARTY_TOO_SMALL and
    PARTY_TOO_LARGE for too few and too many of a type. Where no guests were told and none are required, all is well.
    The first of these that is found is told.
    """

    type: ClassVar[str] = "GUEST_TYPES"
    summary: ClassVar[str] = (
        "Guests are of allowed types, numbers and ages, else GUESTS_REQUIRED, GUESTS_NOT_ALLOWED, PARTY_TOO_SMALL or "
        "PARTY_TOO_LARGE."
    )
    applies_to: ClassVar[frozenset[str]] = ANY_TYPE
    example: ClassVar[Mapping[str, object]] = {
        "types": [
            {"type": "ADULT", "min": 1, "minAge": 16, "isAdult": True},
            {"type": "CHILD", "minAge": 3, "maxAge": 15, "agesRequired": True},
            {"type": "INFANT", "max": 2, "maxAge": 2},
        ],
        "childrenPerAdult": 3,
        "required": True,
    }

    types: Annotated[tuple[GuestType, ...], Field(min_length=1, max_length=TYPES_MAX), AfterValidator(_each_once)] = (
        Field(description="The types of guests that may come, at most 20.")
    )
    children_per_adult: People | None = Field(
        default=None, description="So many guests who are no adults may come with each who is."
    )
    required: bool = Field(default=False, strict=True, description="Whether guests must be told.")

    def evaluate(self, request: RuleRequest, facts: RuleFacts) -> Refusal | None:
        if request.guests is None:
            return self._required() if self.required else None
        counts = {guests.type: guests.count for guests in request.guests}
        for guests in request.guests:
            refusal = self._stranger(guests)
            if refusal is not None:
                return refusal
        for allowed in self.types:
            refusal = self._count(allowed, counts.get(allowed.type, 0))
            if refusal is not None:
                return refusal
        return self._unattended(counts)

    @cached_property
    def _by_type(self) -> dict[str, GuestType]:
        return {allowed.type: allowed for allowed in self.types}

    def _required(self) -> Refusal:
        types = list(self._by_type)
        message = f"Tell who comes, by type: {', '.join(types)}."
        return Refusal("GUESTS_REQUIRED", message, self.type, {"types": types})

    def _stranger(self, guests: GuestCount) -> Refusal | None:
        """Why these can not come whatever their number."""
        allowed = self._by_type.get(guests.type)
        if allowed is None:
            types = list(self._by_type)
            message = f"No guests of type {guests.type}, but of {', '.join(types)}."
            return Refusal("GUESTS_NOT_ALLOWED", message, self.type, {"type": guests.type, "types": types})
        if guests.ages is None:
            if not allowed.ages_required or guests.count == 0:
                return None
            message = f"Tell the ages of guests of type {guests.type}."
            return Refusal("GUESTS_REQUIRED", message, self.type, {"type": guests.type, "ages": True})
        low, high = allowed.min_age, allowed.max_age
        wrong_ages = [age for age in guests.ages if (low or 0) > age or (high is not None and age > high)]
        if not wrong_ages:
            return None
        bounds = {"minAge": low, "maxAge": high}
        span = f"{low or 0} to {high}" if high is not None else f"{low} or more"
        message = f"Guests of type {guests.type} are {span} years old."
        return Refusal("GUESTS_NOT_ALLOWED", message, self.type, {"type": guests.type, "age": wrong_ages[0], **bounds})

    def _count(self, allowed: GuestType, count: int) -> Refusal | None:
        about = {"type": allowed.type, "people": count, "min": allowed.min, "max": allowed.max}
        if allowed.min is not None and count < allowed.min:
            message = f"At least {allowed.min} guests of type {allowed.type}."
            return Refusal("PARTY_TOO_SMALL", message, self.type, about)
        if allowed.max is not None and count > allowed.max:
            message = f"At most {allowed.max} guests of type {allowed.type}."
            return Refusal("PARTY_TOO_LARGE", message, self.type, about)
        return None

    def _unattended(self, counts: Mapping[str, int]) -> Refusal | None:
        if self.children_per_adult is None:
            return None
        adults = sum(count for type_, count in counts.items() if self._by_type[type_].is_adult)
        others = sum(counts.values()) - adults
        if others <= adults * self.children_per_adult and (adults or not others):
            return None
        message = f"At most {self.children_per_adult} guests who are no adults for each adult."
        parameters = {"adults": adults, "others": others, "childrenPerAdult": self.children_per_adult}
        return Refusal("GUESTS_NOT_ALLOWED", message, self.type, parameters)
