"""What must not stand in a log: the addresses that let people in."""

from __future__ import annotations

import logging
import re

SECRET_ADDRESS = re.compile(r"/(join|login|cards)/[^/\s?]+")


class HideTokens(logging.Filter):
    """A refused request is logged with its address, and a link that let somebody in may be one."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        record.msg, record.args = SECRET_ADDRESS.sub(r"/\1/…", message), ()
        return True
