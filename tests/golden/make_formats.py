#!/usr/bin/env python3
"""Writes tests/golden/formats/: what NumPy 2.4.6 and safetensors 0.8.0 (PyTorch 2.15.0) write.

The tests read these files and write the same arrays byte for byte.
"""
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

out = Path(__file__).parent / "formats"
out.mkdir(exist_ok=True)

matrix = np.arange(6).reshape(2, 3) - 1
np.save(out / "f4.npy", matrix.astype("<f4") / 2)
np.save(out / "f8.npy", matrix.astype("<f8") / 2)
np.save(out / "i4.npy", matrix.astype("<i4"))
np.save(out / "i8.npy", matrix.astype("<i8"))
np.save(out / "u1.npy", (matrix + 1).astype("|u1"))
np.save(out / "b1.npy", matrix > 1)
np.save(out / "vector.npy", np.arange(3, dtype="<f4"))
np.save(out / "scalar.npy", np.float64(2.5))
np.save(out / "empty.npy", np.zeros((0, 3), "<f4"))
np.save(out / "fortran.npy", np.asfortranarray(np.arange(24, dtype="<i4").reshape(2, 3, 4)))
for version in (2, 3):
    with open(out / f"version{version}.npy", "wb") as f:
        np.lib.format.write_array(f, matrix.astype("<f4") / 2, version=(version, 0))

save_file(
    {
        "double": torch.tensor([0.1, -2.5], dtype=torch.float64),
        "index": torch.tensor([-1, 2**40]),
        "bias": torch.tensor([1.5, -0.25, float("inf")]),
        "weight": torch.arange(6, dtype=torch.float32).reshape(2, 3),
        "small": torch.tensor([[7], [-7]], dtype=torch.int32),
        "image": torch.tensor([0, 128, 255], dtype=torch.uint8),
        "scalar": torch.tensor(2.5),
        "nothing": torch.zeros(0, 3),
    },
    out / "pytorch.safetensors",
    metadata={"format": "pt"},
)
