"""What draws, edits, trains and looks at pictures: libraries behind a few protocols."""

import logging

HABITUAL = {
    # LoRAs here touch the transformer alone.
    "diffusers.loaders.lora_base": "No LoRA keys associated",
    # Every processor here takes Pillow images; no torchvision is wanted.
    "transformers.utils.import_utils": "requires torchvision (not installed)",
    # The plain kernels do; the others would be downloaded.
    "bitsandbytes.backends.cpu.ops": "Failed to load CPU gemm_4bit_forward",
}
"""What libraries report at every load although it is meant to be so, by logger."""


def keep_quiet_about(logger: str, words: str) -> None:
    logging.getLogger(logger).addFilter(lambda record: words not in record.getMessage())


for _logger, _words in HABITUAL.items():
    keep_quiet_about(_logger, _words)
