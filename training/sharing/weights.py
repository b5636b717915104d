"""A LoRA file as it leaves: its tensors bit for bit, of its header only what is known to be public.

The safetensors layout: eight bytes of length, a JSON header whose offsets count from its end, the
tensors (https://github.com/huggingface/safetensors, README). Importable without torch.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path

CHUNK = 1024**2
PUBLIC = frozenset(
    {
        "format", "lora_adapter_metadata", "flenwheel.recipe", "flenwheel.base", "flenwheel.data",
        "modelspec.sai_model_spec", "modelspec.architecture", "modelspec.implementation",
        "modelspec.resolution", "modelspec.license", "modelspec.trigger_phrase",
        "modelspec.hash_sha256", "ss_base_model_version", "ss_network_module", "ss_network_dim",
        "ss_network_alpha", "ss_resolution", "ss_num_train_images", "ss_learning_rate",
        "ss_max_train_steps", "ss_batch_size_per_device", "ss_lr_warmup_steps", "ss_seed",
    }
)  # fmt: skip
"""What training writes of hyper-parameters and hashes. Titles and words of captions stay in."""


def public_weights(path: Path) -> Iterator[bytes]:
    """The file chunk by chunk. Raises FileNotFoundError."""
    with path.open("rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
        said = header.get("__metadata__", {})
        header["__metadata__"] = {name: said[name] for name in sorted(PUBLIC & said.keys())}
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        yield struct.pack("<Q", len(text)) + text
        while chunk := file.read(CHUNK):
            yield chunk
