"""Caches the result of the contract check per CLI binary, so that it does not run at every start.

A small JSON file in the cache folder. If it is lost or broken, the check runs again.
"""

import contextlib
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import orjson

from ...errors import CliUnavailable
from ...events import JsonObject
from ..planning.body import Defaults
from ..planning.want import Composition
from .contract import CAPABILITIES, ContractResult, examine
from .locate import UPDATE, Cli

log = logging.getLogger("claude_max.engine")

MOST_RECORDS = 8


def key(cli: Cli, our_version: str) -> str:
    """What makes a binary another one: its place, size, time and version, and the version of the check."""
    stat = cli.path.resolve().stat()
    return f"{cli.path}|{stat.st_size}|{stat.st_mtime_ns}|{cli.version_text}|{our_version}"


def recall(file: Path, name: str) -> ContractResult | None:
    """The record of that name, None where there is none that can be read."""
    try:
        found = orjson.loads(file.read_bytes())[name]
        holds, fails = frozenset(map(str, found["holds"])), {name: str(why) for name, why in found["fails"].items()}
        if holds | fails.keys() != CAPABILITIES.keys():
            # Of another check than today's.
            return None
        return ContractResult(
            holds,
            fails,
            {model: Defaults(int(each["max_tokens"]), each["thinking"]) for model, each in found["defaults"].items()},
            str(found["cache_ttl"]),
        )
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        return None


def remember(file: Path, name: str, record: ContractResult) -> None:
    """Adds a record, whole or not at all. A folder that cannot be written costs the next start two seconds."""
    records: JsonObject = {}
    with contextlib.suppress(OSError, orjson.JSONDecodeError):
        found = orjson.loads(file.read_bytes())
        records = found if isinstance(found, dict) else {}
    records.pop(name, None)
    records[name] = {
        "holds": sorted(record.holds),
        "fails": dict(record.fails),
        "defaults": {model: asdict(each) for model, each in record.defaults.items()},
        "cache_ttl": record.cache_ttl,
    }
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        scratch = file.with_suffix(f".{os.getpid()}")
        scratch.touch(mode=0o600)
        scratch.write_bytes(orjson.dumps(dict(list(records.items())[-MOST_RECORDS:]), option=orjson.OPT_INDENT_2))
        scratch.replace(file)
    except OSError as error:
        log.warning("the contract check's result cannot be kept (%s)", error.strerror)


async def record_of(cli: Cli, file: Path, our_version: str, environ: Mapping[str, str]) -> ContractResult:
    """What is remembered of this CLI; where nothing is, it is examined now.

    A result that was not all good is never kept: it may have been the machine's fault, and trying again is cheap.
    """
    try:
        name = key(cli, our_version)
    except OSError as error:
        raise CliUnavailable(f"{cli.path} is gone: {error.strerror or error}.") from None
    record = recall(file, name)
    if record is None:
        try:
            record = await examine(cli.path, environ.get("PATH", os.defpath))
        except OSError as error:
            raise CliUnavailable(f"The contract check needs a temporary folder: {error.strerror or error}.") from None
        if not record.fails:
            remember(file, name, record)
    return record


async def verified(
    cli: Cli, file: Path, our_version: str, environ: Mapping[str, str], composition: Composition = "auto"
) -> ContractResult:
    """What may be relied on with this CLI. Raises CliUnavailable, with the reason, where safety fails.

    `composition` is the setting: the check of another one than that does not help.
    """
    record = await record_of(cli, file, our_version, environ)
    unsafe = record.unsafe_for(composition)
    if unsafe is not None:
        raise CliUnavailable(f"Claude Code {cli.version_text} fails the contract check: {unsafe}. {UPDATE}")
    if record.fails:
        log.warning("Claude Code %s does not do everything as measured: %s", cli.version_text, record.lacks)
    return record
