from __future__ import annotations

import logging
from typing import cast

import pytest

from flenwheel.logs import HideTokens
from flenwheel.settings import LOGGING


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("Gone: /join/s3cret_tok-en/", "Gone: /join/…/"),
        ("Forbidden: /login/eyJ1:abc/ ", "Forbidden: /login/…/ "),
        ("Gone: /cards/s3cret/0123.webp", "Gone: /cards/…/0123.webp"),
        ("302 /login/?next=/join/s3cret/", "302 /login/?next=/join/…/"),
        ("Not Found: /s/juno/", "Not Found: /s/juno/"),
    ],
)
def test_no_address_that_lets_people_in_stands_in_a_log(said: str, written: str) -> None:
    name, _, path = said.partition(": ")
    record = logging.LogRecord("django", logging.WARNING, "", 0, "%s: %s", (name, path), None)
    if not path:
        record = logging.LogRecord("django", logging.WARNING, "", 0, said, (), None)
    assert HideTokens().filter(record)
    assert record.getMessage() == written


def test_whatever_is_written_passes_the_filter() -> None:
    handlers = cast("dict[str, dict[str, object]]", LOGGING["handlers"])
    assert all(handler["filters"] == ["hide_tokens"] for handler in handlers.values())
