"""The models that a CLI offers this login, from a pool that serves or from a CLI that is asked for them."""

from collections.abc import Mapping
from pathlib import Path

from ..events import Model
from . import inquiry
from .pool import Pool
from .wire.models import models_of


def of_pool(pool: Pool) -> tuple[Model, ...]:
    """What the pool's latest worker was told; empty until one has started."""
    return models_of(pool.about)


async def of_cli(program: Path, environ: Mapping[str, str]) -> tuple[Model, ...]:
    """What the CLI at `program` lists. Starts one process. Raises NotSignedIn, CliCrashed, CliUnavailable."""
    return models_of(await inquiry.about(program, environ))
