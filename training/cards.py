"""What a worker's GPU is, told once at its start, so that pages can say what will fit."""

from __future__ import annotations

import psutil
import torch
from django.utils import timezone

from training.models import Gpu


def tell_gpu(machine: str) -> None:
    """Nothing on a machine without one."""
    if not torch.cuda.is_available():
        return
    facts = {
        "name": torch.cuda.get_device_name(),
        "vram": torch.cuda.mem_get_info()[1],
        "ram": psutil.virtual_memory().total,
        "seen_at": timezone.now(),
    }
    Gpu.objects.update_or_create(machine=machine, defaults=facts)
