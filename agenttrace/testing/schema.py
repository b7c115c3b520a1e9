"""The smallest value that a JSON schema allows, for replies that nobody scripted."""

from typing import Any, cast

from agenttrace.testing.values import JSON


def sample(schema: JSON, definitions: JSON | None = None) -> Any:
    """Return the plainest value that fits *schema*: required properties only, no list items.

    It knows what SDKs generate from classes (types, enums, unions, references, lengths); a
    pattern or a format is not looked at.
    """
    known = definitions if definitions is not None else schema.get("$defs", {})
    if "$ref" in schema:
        return sample(known[schema["$ref"].rpartition("/")[2]], known)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for union in ("anyOf", "oneOf"):
        if schema.get(union):
            # Null ends what would otherwise refer to itself.
            options = cast("list[JSON]", schema[union])
            empty = [one for one in options if one.get("type") == "null"]
            return sample((empty or options)[0], known)
    return _of_type(schema, known)


def _of_type(schema: JSON, known: JSON) -> Any:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = cast("list[str]", kind)[0]
    match kind:
        case "object":
            properties = schema.get("properties", {})
            names = schema.get("required", ())
            return {name: sample(properties.get(name, {}), known) for name in names}
        case "array":
            return [
                sample(schema.get("items", {}), known) for _ in range(schema.get("minItems", 0))
            ]
        case "integer" | "number":
            return schema.get("minimum", 0)
        case "boolean":
            return False
        case "null":
            return None
        case _:
            return "text".ljust(schema.get("minLength", 0), ".")
