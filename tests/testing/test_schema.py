import pytest
from pydantic import BaseModel

from agenttrace.testing.schema import sample


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "text"),
        ({"type": "string", "minLength": 6}, "text.."),
        ({"type": "integer", "minimum": 3}, 3),
        ({"type": "number"}, 0),
        ({"type": "boolean"}, False),
        ({"type": ["null", "string"]}, None),
        ({"enum": ["b", "a"]}, "b"),
        ({"const": 7}, 7),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, 0),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, None),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [0, 0]),
        ({}, "text"),
    ],
)
def test_a_sample_is_the_plainest_value(schema, value):
    assert sample(schema) == value


class Leaf(BaseModel):
    name: str
    note: str = "has a default"


class Tree(BaseModel):
    leaf: Leaf
    branches: list["Tree"]
    parent: "Tree | None"


def test_a_sample_of_a_class_that_refers_to_itself_is_valid():
    tree = Tree.model_validate(sample(Tree.model_json_schema()))
    assert tree == Tree(leaf=Leaf(name="text"), branches=[], parent=None)
