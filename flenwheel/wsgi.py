from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flenwheel.settings")
application = get_wsgi_application()
# Importing all pages takes a quarter of a second, which the first visitor need not wait for.
get_resolver().url_patterns  # noqa: B018
