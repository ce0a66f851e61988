"""Values as JSON has them."""

from __future__ import annotations

import json

from emlab.plain import plain


def test_what_is_not_finite_is_nothing_however_deep_it_lies() -> None:
    found = plain({"a": float("nan"), "b": [1.5, float("inf"), {"c": (2, float("-inf"))}], "d": "nan"})
    assert json.dumps(found, allow_nan=False) == '{"a": null, "b": [1.5, null, {"c": [2, null]}], "d": "nan"}'
