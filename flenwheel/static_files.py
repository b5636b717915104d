"""Static files under names that change with their content, the modules that scripts import too."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Without this, what a script imports has a name that stays: a browser asks for it again each
    minute, or takes an old one after an upgrade."""

    support_js_module_import_aggregation = True
