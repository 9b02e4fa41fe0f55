"""Where an encoder runs and in which numbers: the fastest that this machine does well."""

import torch

from lake.errors import EncoderError

DEVICES = ("cuda", "mps", "cpu")
PRECISIONS = {"float32": torch.float32, "bf16": torch.bfloat16}


def choose_device(name: str = "auto") -> torch.device:
    """The device of this name; 'auto' is the first of DEVICES that is there.

    Raises EncoderError for one that is not there.
    """
    there = [device for device in DEVICES if _is_there(device)]
    if name == "auto":
        return torch.device(there[0])
    try:
        device = torch.device(name)
    except RuntimeError as e:
        raise EncoderError(f"no device is called {name!r}; there are: {', '.join(there)}") from e
    n_cards = torch.cuda.device_count()
    if device.type not in there or (device.type == "cuda" and (device.index or 0) >= n_cards):
        raise EncoderError(f"torch finds no {name} here; there are: {', '.join(there)}")
    return device


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """The number type of this name; 'auto' is bf16 where the device computes in it, else float32."""
    if name == "auto":
        return torch.bfloat16 if has_bf16(device) else torch.float32
    return PRECISIONS[name]


def has_bf16(device: torch.device) -> bool:
    """Whether a device has instructions for bf16; where they are emulated, float32 is faster and exact.

    Apple's are left at float32: which chip has them cannot be asked.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    known = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return any(known.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def _is_there(device: str) -> bool:
    if device == "cuda":
        return bool(torch.cuda.is_available())
    return device == "cpu" or bool(torch.backends.mps.is_available())
