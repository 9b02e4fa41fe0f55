"""Running `glamlake` as a person does: a process of its own, with what it prints and its exit status."""

import os
import resource
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from pipelines.cli import cli

ROOT = Path(__file__).parent.parent


Done = subprocess.CompletedProcess[str]


def typed(lake: Path, *words: str) -> Result:
    """One command in this process: a new one would first import torch and all the rest again."""
    return CliRunner().invoke(cli, ["--lake", str(lake), *words])


def glamlake(
    lake: Path, *words: str, timeout_s: float = 1200, largest_file: int | None = None, **environment: str
) -> Done:
    """Run one command on a lake; API keys and a lake of the caller's own environment are not passed on.

    With `largest_file` no file can grow beyond so many bytes: what a full disk feels like.
    """
    def limited() -> None:
        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, resource.RLIM_INFINITY))

    hidden = ("GLAMLAKE_LAKE", "EUROPEANA_API_KEY")
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    if largest_file is not None:    # a compiled module that was cut short would be kept, and fail the next
        kept["PYTHONDONTWRITEBYTECODE"] = "1"
    return subprocess.run(
        [sys.executable, "-m", "pipelines", "--lake", str(lake), *words], capture_output=True, text=True,
        cwd=ROOT, env={**kept, "HF_HUB_OFFLINE": "1", **environment}, timeout=timeout_s, check=False,
        preexec_fn=limited,
    )
