"""The product's own settings, over a folder that ends with the test process."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

VAR_OF_TESTS = tempfile.mkdtemp(prefix="flenwheel-tests-")
os.environ["FLENWHEEL_VAR"] = VAR_OF_TESTS
atexit.register(shutil.rmtree, VAR_OF_TESTS, ignore_errors=True)

from flenwheel.settings import *  # noqa: E402, F403
from flenwheel.settings import DATABASES, STORAGES  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
TORCH_THREADS = 1  # Tests run in parallel; more threads than cores wait for one another.
if DATABASES["default"]["ENGINE"] == "flenwheel.sqlite":
    # A file, as in the product: in memory, threads that write at once meet errors it does not have.
    DATABASES["default"]["TEST"] = {"NAME": f"{VAR_OF_TESTS}/test.sqlite3"}
