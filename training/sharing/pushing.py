"""Send a repository's folder to the Hugging Face hub. The token is used once and kept nowhere."""

from __future__ import annotations

from pathlib import Path

from httpx2 import HTTPError
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError

UNKNOWN, FORBIDDEN = 401, 403


class NotPushed(Exception):
    """Says why the hub has it not, and what to do."""


def push(folder: Path, repo: str, token: str, *, is_public: bool, hub: str | None = None) -> str:
    """Make the repository if need be and send every file; the answer is its address.

    `hub` is the address of another hub than huggingface.co.

    Raises:
        NotPushed: offline, refused, or a name that is none.
    """
    api = HfApi(endpoint=hub, token=token)
    try:
        made = api.create_repo(repo, private=not is_public, exist_ok=True)
        api.upload_folder(folder_path=folder, repo_id=made.repo_id, commit_message="Share a LoRA")
    except HFValidationError as error:
        raise NotPushed(f"“{repo}” is no repository's name. Write it as you/name.") from error
    except HfHubHTTPError as error:
        raise NotPushed(_refusal(error)) from error
    except (HTTPError, OSError) as error:
        raise NotPushed(
            f"The hub cannot be reached from here ({type(error).__name__}). Nothing is lost: "
            "download the repository and send it from a machine that is online."
        ) from error
    return str(made)


def _refusal(error: HfHubHTTPError) -> str:
    status = error.response.status_code
    if status == UNKNOWN:
        return "The hub does not know that token. Make one with the right to write and try again."
    if status == FORBIDDEN:
        return "That token may not write there. Make one with the right to write to it."
    return f"The hub refused with status {status}. Try again later."
