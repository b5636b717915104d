"""Under which terms a version may be given away: its base's, in the hub's words."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.text import slugify

from training.models import BaseModel

HUB = "https://huggingface.co/"
FLUX_DEV = "black-forest-labs/FLUX.1-dev"
LICENCES = ("apache-2.0", "mit", "openrail", "creativeml-openrail-m", "cc-by-4.0", "cc0-1.0")
"""Identifiers that the hub knows and bases here have; any other is `other`, with a name."""


@dataclass(frozen=True, slots=True)
class Terms:
    """`hub_id` is the base's repository, empty where it is not on the hub.

    `base` names it as everybody does: not by the title that somebody here gave it.
    """

    base: str
    hub_id: str
    license: str
    license_name: str = ""
    license_link: str = ""

    @property
    def sentence(self) -> str:
        name = self.license_name or self.license
        if self.hub_id == FLUX_DEV:
            return (
                f"Made from {self.base}, whose non-commercial licence covers what is derived from "
                "it: read it before you use this."
            )
        return f"Made from {self.base}, under {name}."


def terms_of(base: BaseModel) -> Terms:
    """Of a LoRA of this base. FLUX.1-dev's licence covers derivatives (its section 1c)."""
    hub_id = base.source_url.removeprefix(HUB) if base.source_url.startswith(HUB) else ""
    name = hub_id or (base.name if base.is_paper_doll else "a base that is not on the hub")
    if hub_id == FLUX_DEV:
        link = f"{HUB}{FLUX_DEV}/blob/main/LICENSE.md"
        return Terms(name, hub_id, "other", "flux-1-dev-non-commercial-license", link)
    if base.licence.lower() in LICENCES:
        return Terms(name, hub_id, base.licence.lower())
    return Terms(name, hub_id, "other", slugify(base.licence), base.source_url)
