"""What is remembered of a CLI, and when it is examined again."""

import asyncio
import os
from pathlib import Path

import pytest

from claude_max.proxy.engine.planning.body import Defaults
from claude_max.proxy.engine.planning.steps import EVERYTHING
from claude_max.proxy.engine.planning.want import Composition
from claude_max.proxy.engine.probe import contract_store
from claude_max.proxy.engine.probe.contract import CAPABILITIES, ContractResult
from claude_max.proxy.engine.probe.contract_store import MOST_RECORDS, key, recall, remember, verified
from claude_max.proxy.engine.probe.locate import Cli
from claude_max.proxy.errors import CliUnavailable

DEFAULTS = {"claude-a": Defaults(64_000, {"type": "adaptive"}), "claude-b": Defaults(8192, None)}
SAFE = frozenset({"answers", "verbatim", "isolation", "limits"})
GOOD = ContractResult(frozenset(CAPABILITIES), {}, DEFAULTS, "1h")


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    program = tmp_path / "claude"
    program.write_text("one")
    return Cli(program, (2, 1, 330), "PATH")


class Examined:
    """Stands for the examination; counts how often it was asked."""

    def __init__(self, record: ContractResult) -> None:
        self.record = record
        self.count = 0

    async def __call__(self, program: Path, path: str) -> ContractResult:
        self.count += 1
        return self.record


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "contracts.json"
    partly = ContractResult(frozenset({"answers"}), dict.fromkeys(CAPABILITIES.keys() - {"answers"}, "left a trace"))
    remember(file, "one", GOOD)
    remember(file, "two", partly)
    assert recall(file, "one") == GOOD
    assert recall(file, "two") == partly
    assert recall(file, "three") is None
    assert [path.name for path in file.parent.iterdir()] == ["contracts.json"], "no scratch file is left"


def test_a_record_of_another_check_is_not_used(tmp_path: Path) -> None:
    file = tmp_path / "contracts.json"
    for other in (GOOD.holds - {"peers"}, GOOD.holds | {"something new"}):
        remember(file, "one", ContractResult(other, {}))
        assert recall(file, "one") is None


@pytest.mark.parametrize(
    "content",
    [
        *("", "{", "[]", "null", '"x"', '{"one": 5}', '{"one": {}}', '{"one": {"holds": 5}}'),
        '{"one": {"holds": [], "fails": 5}}',
        '{"one": {"holds": [], "fails": [1]}}',
        '{"one": {"holds": [], "fails": {}, "cache_ttl": "5m"}}',
        '{"one": {"holds": [], "fails": {}, "defaults": {}}}',
        '{"one": {"holds": [], "fails": {}, "defaults": 5, "cache_ttl": "5m"}}',
        '{"one": {"holds": [], "fails": {}, "defaults": {"m": 5}, "cache_ttl": "5m"}}',
        '{"one": {"holds": [], "fails": {}, "defaults": {"m": {"max_tokens": "x"}}, "cache_ttl": "5m"}}',
        '{"one": {"holds": [], "fails": {}, "defaults": {"m": {"max_tokens": 5}}, "cache_ttl": "5m"}}',
    ],
)
def test_a_broken_file_counts_as_lost_and_is_mended(tmp_path: Path, content: str) -> None:
    file = tmp_path / "contracts.json"
    file.write_text(content)
    assert recall(file, "one") is None
    remember(file, "one", GOOD)
    assert recall(file, "one") == GOOD


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
def test_the_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        remember(tmp_path / "cache" / "contracts.json", "one", GOOD)
    finally:
        os.umask(before)
    modes = [path.stat().st_mode & 0o777 for path in (tmp_path / "cache", tmp_path / "cache" / "contracts.json")]
    assert modes == [0o700, 0o600]


def test_only_the_latest_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "contracts.json"
    for number in range(MOST_RECORDS):
        remember(file, str(number), GOOD)
    remember(file, "0", GOOD)
    remember(file, "new", GOOD)
    assert recall(file, "1") is None
    assert recall(file, "0") == recall(file, "new") == GOOD


def test_a_folder_that_cannot_be_written_is_told_and_no_failure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    with caplog.at_level("WARNING"):
        remember(tmp_path / "file" / "contracts.json", "one", GOOD)
    assert "cannot be kept (File exists)" in caplog.text


def test_what_makes_a_binary_another_one(cli: Cli, tmp_path: Path) -> None:
    first = key(cli, "1.0")
    assert key(cli, "1.0") == first
    assert key(cli, "1.1") != first
    assert key(Cli(cli.path, (2, 1, 331), "PATH"), "1.0") != first
    os.utime(cli.path, ns=(1, 1))
    touched = key(cli, "1.0")
    assert touched != first
    cli.path.write_text("other")
    os.utime(cli.path, ns=(1, 1))
    assert key(cli, "1.0") != touched
    link = tmp_path / "link"
    link.symlink_to(cli.path)
    assert key(Cli(link, cli.version, "PATH"), "1.0") != touched


def test_one_that_is_all_good_is_examined_once(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    examined = Examined(GOOD)
    monkeypatch.setattr(contract_store, "examine", examined)
    for _ in range(3):
        assert asyncio.run(verified(cli, tmp_path / "c.json", "1.0", {})) == GOOD
    assert examined.count == 1
    cli.path.write_text("another binary")
    asyncio.run(verified(cli, tmp_path / "c.json", "1.0", {}))
    assert examined.count == 2


def test_one_that_lacks_something_is_used_without_it_and_tried_again(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    examined = Examined(ContractResult(GOOD.holds - {"rewind"}, {"rewind": "left a trace"}))
    monkeypatch.setattr(contract_store, "examine", examined)
    for _ in range(2):
        assert "rewind" not in asyncio.run(verified(cli, tmp_path / "c.json", "1.0", {})).features
    assert examined.count == 2


@pytest.mark.parametrize("safety", sorted(SAFE))
def test_an_unsafe_one_is_refused_with_the_reason(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, safety: str
) -> None:
    monkeypatch.setattr(
        contract_store, "examine", Examined(ContractResult(GOOD.holds - {safety}, {safety: "it read a file"}))
    )
    with pytest.raises(CliUnavailable, match=rf"2\.1\.330 fails.*{safety}: it read a file.*`claude update`"):
        asyncio.run(verified(cli, tmp_path / "c.json", "1.0", {}))


@pytest.mark.parametrize(
    ("missing", "unsafe"),
    [
        ({"exact"}, None),
        ({"lines"}, None),
        ({"tools", "rewind", "system", "errors"}, None),
        ({"exact", "lines"}, "exact: no; lines: no"),
        ({"limits", "exact"}, "limits: no"),
        ({"answers"}, "answers: no"),
    ],
)
def test_what_makes_a_cli_unsafe(missing: set[str], unsafe: str | None) -> None:
    record = ContractResult(GOOD.holds - missing, dict.fromkeys(sorted(missing), "no."))
    assert record.unsafe == unsafe
    assert record.lacks == "; ".join(f"{name}: no" for name in sorted(missing))
    assert record.features == EVERYTHING - missing


@pytest.mark.parametrize(
    ("composition", "missing", "unsafe"),
    [
        ("exact", {"exact"}, "exact: no"),
        ("exact", {"lines"}, None),
        ("lines", {"lines"}, "lines: no"),
        ("lines", {"exact"}, None),
        ("lines", {"limits", "lines"}, "limits: no"),
    ],
)
def test_the_only_way_that_is_allowed_must_hold(
    cli: Cli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    composition: Composition,
    missing: set[str],
    unsafe: str | None,
) -> None:
    record = ContractResult(GOOD.holds - missing, dict.fromkeys(sorted(missing), "no."))
    monkeypatch.setattr(contract_store, "examine", Examined(record))
    if unsafe is None:
        assert asyncio.run(verified(cli, tmp_path / "c.json", "1.0", {}, composition)) == record
        return
    with pytest.raises(CliUnavailable, match=f"contract check: {unsafe}"):
        asyncio.run(verified(cli, tmp_path / "c.json", "1.0", {}, composition))


async def test_a_program_that_is_gone_is_no_fault_of_ours(cli: Cli, tmp_path: Path) -> None:
    cli.path.unlink()
    with pytest.raises(CliUnavailable, match="is gone"):
        await verified(cli, tmp_path / "c.json", "1.0", {})


async def test_a_machine_without_a_temporary_folder(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(program: Path, path: str) -> ContractResult:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(contract_store, "examine", fails)
    with pytest.raises(CliUnavailable, match="No space left"):
        await verified(cli, tmp_path / "c.json", "1.0", {})
