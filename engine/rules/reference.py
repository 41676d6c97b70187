"""The reference of all kinds of rules, made from their classes: docs/rules.md is what `vacancy rules` prints."""

import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

from engine.rules.base import ANY_TYPE, Rule

_INTRODUCTION = """\
# Rules

What `vacancy rules` prints: the kinds of rules that are installed. A rule has a type and parameters, is of a resource
or of a venue (then of all its resources), and has a priority. It decides over what begins on a civil day of the venue
in [validFrom, validUntil). Of a type one rule decides at a time: the resource's own before the venue's, then the higher
priority, then the younger. Of a cumulative type all that are valid decide.

A refusal has a code, a message, the rule's type, and parameters: what was asked, what is allowed (under the names that
the rule's own parameters have), and where that can be told the nearest that is. Dates are YYYY-MM-DD and clock times
HH:MM, both in the venue's zone; an instant is local time with its offset. A parameter that is not known is refused
when the rule is set, and so is one of the wrong kind.

A stored rule of a type that is not installed, or whose parameters can not be read any more, refuses everything with
RULE_VIOLATION, and `parameters.missing` names the type.
"""


def reference(rules: Mapping[str, type[Rule]]) -> str:
    """The reference as Markdown: an introduction, a table of all types, and a chapter of each."""
    table = ["| type | what it refuses |", "|---|---|"]
    table += [f"| [{type_}](#{type_.lower()}) | {rule.summary} |" for type_, rule in rules.items()]
    chapters = ["\n".join(_chapter(rule)) for rule in rules.values()]
    return "\n".join([_INTRODUCTION, *table, "", *chapters]).rstrip() + "\n"


def _chapter(rule: type[Rule]) -> Iterator[str]:
    yield f"## {rule.type}\n"
    yield f"{_docstring(rule)}\n"
    yield f"For {_kinds(rule)}. {_decides(rule)}\n"
    schema = rule.model_json_schema(by_alias=True)
    yield "| parameter | kind | default | meaning |"
    yield "|---|---|---|---|"
    yield from _rows(schema, schema.get("$defs", {}), "")
    example = getattr(rule, "example", None)
    if example is not None:
        yield f"\n```json\n{json.dumps(example, ensure_ascii=False)}\n```"
    yield ""


def _docstring(rule: type[Rule]) -> str:
    text = inspect.cleandoc(rule.__doc__ or rule.summary)
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _kinds(rule: type[Rule]) -> str:
    return "every resource" if rule.applies_to >= ANY_TYPE else ", ".join(sorted(rule.applies_to))


def _decides(rule: type[Rule]) -> str:
    how = "Cumulative: all that are valid decide" if rule.is_cumulative else "One decides at a time"
    return f"{how}{', on each day of the request' if rule.looks_at_every_day else ''}."


def _rows(schema: Mapping[str, Any], definitions: Mapping[str, Any], prefix: str) -> Iterator[str]:
    """A row per parameter; those of an object in a list come after it, as `list.name`."""
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        default = "required" if name in required else _default(field.get("default"))
        yield f"| `{prefix}{name}` | {_kind(field)} | {default} | {field.get('description', '')} |"
        inner = field.get("items", {}).get("$ref")
        if inner is not None:
            yield from _rows(definitions[inner.rpartition("/")[2]], definitions, f"{prefix}{name}.")


def _default(value: object) -> str:
    return "none" if value is None else f"`{json.dumps(value)}`"


def _kind(field: Mapping[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_kind(one) for one in field["anyOf"] if one.get("type") != "null")
    match field.get("type"):
        case "array":
            return f"list of {_kind(field['items'])}"
        case "integer":
            return f"integer {field['minimum']} to {field['maximum']}" if "maximum" in field else "integer"
        case "string":
            return str(field.get("format", "text"))
        case "boolean":
            return "true or false"
    return "object"
