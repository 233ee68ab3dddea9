"""Names that were public once: each is refused with its new name, and `doctor --fix` rewrites what is on disk."""

from pathlib import Path

import pytest
from harness.command import claude_max
from harness.forked import installed
from harness.proxy import running_proxy
from harness.stand_ins import StandIns

from claude_max.cli.service.launchd import Launchd
from claude_max.cli.service.rewrite import steps
from claude_max.cli.service.steps import Write
from claude_max.cli.service.systemd import Systemd
from claude_max.proxy import renamed
from claude_max.proxy.config import ConfigError, Settings, load, old_names, rewrite_file

CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"
UNIT = """# mine
[Service]
ExecStart="/opt/claude-max" "serve" "--port" "4000" "--max-workers" "3"
Environment="CLAUDE_MAX_WARM=1"
Environment="CLAUDE_MAX_WARM_WORKERS_ARE=untouched"
"""


def test_every_new_name_is_a_setting_and_no_old_one_is() -> None:
    assert set(renamed.SETTINGS.values()) <= Settings.model_fields.keys()
    assert not renamed.SETTINGS.keys() & Settings.model_fields.keys()
    assert [name for name in Settings.model_fields if name.startswith("max_")] == []


def test_the_changelog_lists_every_name() -> None:
    text = CHANGELOG.read_text(encoding="utf-8")
    rows = {**renamed.SETTINGS, **renamed.FLAGS, "claude-max agent": "claude-max service", "mend": "fix"}
    assert [(old, new) for old, new in rows.items() if f"| `{old}` | `{new}` |" not in text] == []


@pytest.mark.parametrize(("old", "new"), renamed.SETTINGS.items())
def test_an_old_variable_is_refused(home: Path, old: str, new: str) -> None:
    name = f"CLAUDE_MAX_{old.upper()}"
    with pytest.raises(ConfigError, match=f"{name} is now called CLAUDE_MAX_{new.upper()}") as caught:
        load({"HOME": str(home), name: "3"})
    assert caught.value.fix == f"unset {name}"


@pytest.mark.parametrize(("old", "new"), renamed.SETTINGS.items())
def test_an_old_setting_in_the_file_is_refused_and_rewritten(home: Path, old: str, new: str) -> None:
    file = home / "config.toml"
    text = f'# why\n{old}  = 3 # because\nport = 1\n[aliases]\n{old} = "opus"\n'
    file.write_text(text)
    file.chmod(0o640)
    environ = {"HOME": str(home), "CLAUDE_MAX_CONFIG": str(file)}
    with pytest.raises(ConfigError, match=f"{old} is now called {new}"):
        load(environ)
    rewrite_file(file)
    assert file.read_text() == text.replace(f"{old}  =", f"{new}  =")
    assert file.stat().st_mode & 0o777 == 0o640
    assert getattr(load(environ), new) == 3


def test_a_file_with_both_names_is_left_to_its_writer(home: Path) -> None:
    file = home / "config.toml"
    file.write_text("warm = 1\nwarm_workers = 2\n")
    with pytest.raises(ConfigError, match="warm → warm_workers"):
        rewrite_file(file)
    assert file.read_text() == "warm = 1\nwarm_workers = 2\n"


@pytest.mark.parametrize(("old", "new"), renamed.FLAGS.items())
def test_an_old_flag_is_refused(home: Path, old: str, new: str) -> None:
    ended = claude_max(home, "serve", old, "3")
    assert (ended.code, ended.out) == (2, "")
    assert f"{old} is now called {new}." in ended.err
    assert old not in claude_max(home, "serve", "--help").out.split()


def test_the_old_command_is_refused(home: Path) -> None:
    ended = claude_max(home, "agent", "logs", "-n", "3")
    assert (ended.code, ended.out) == (2, "")
    assert "run `claude-max service logs`" in " ".join(ended.err.split())


def test_the_doctor_names_the_old_setting_and_fixes_it(home: Path) -> None:
    file = home / "config.toml"
    file.write_text("# keep me\nmax_workers = 3\n")
    environ = {"CLAUDE_MAX_CONFIG": str(file)}
    [finding] = claude_max(home, "doctor", "--check", "config", "--json", environ=environ).json["findings"]
    assert "max_workers is now called workers" in finding["summary"]
    assert finding["fix"] == ["claude-max doctor --fix"]
    fixed = claude_max(home, "doctor", "--check", "config", "--json", "--fix", environ=environ)
    assert fixed.code == 0, fixed.out
    assert fixed.json["fixed"] == [f"{file}: max_workers is now called workers"]
    assert file.read_text() == "# keep me\nworkers = 3\n"


def test_a_unit_and_its_drop_ins_are_rewritten(stand_ins: StandIns) -> None:
    stand_ins.add("systemctl")
    manager = Systemd(stand_ins.machine())
    drop_in = manager.file.with_name("claude-max.service.d") / "mine.conf"
    drop_in.parent.mkdir(parents=True)
    manager.file.write_text(UNIT)
    drop_in.write_text("[Service]\nEnvironment=CLAUDE_MAX_DRAIN=9\n")
    assert manager.secrets is not None
    manager.secrets.parent.mkdir(parents=True)
    manager.secrets.write_text("CLAUDE_CODE_OAUTH_TOKEN=x\nCLAUDE_MAX_QUEUE=1\n")
    manager.secrets.chmod(0o600)
    stand_ins.machine().perform(steps(manager))
    unit = manager.file.read_text()
    assert '"--workers" "3"' in unit
    assert "CLAUDE_MAX_WARM_WORKERS=1" in unit
    assert "CLAUDE_MAX_WARM_WORKERS_ARE=untouched" in unit
    assert "CLAUDE_MAX_DRAIN_TIMEOUT=9" in drop_in.read_text()
    assert manager.secrets.read_text() == "CLAUDE_CODE_OAUTH_TOKEN=x\nCLAUDE_MAX_QUEUE_SIZE=1\n"
    assert manager.secrets.stat().st_mode & 0o777 == 0o600
    assert "systemctl --user daemon-reload" in stand_ins.calls
    assert steps(manager) == []


def test_a_property_list_is_rewritten_as_data(stand_ins: StandIns) -> None:
    stand_ins.add("launchctl")
    manager = Launchd(stand_ins.machine(), 501)
    manager.file.parent.mkdir(parents=True)
    manager.file.write_text(
        "<plist><dict><key>ProgramArguments</key><array><string>--drain</string></array>"
        "<key>EnvironmentVariables</key><dict><key>CLAUDE_MAX_KEEPALIVE</key><string>3</string></dict></dict></plist>"
    )
    [content] = [step.content.decode() for step in steps(manager) if isinstance(step, Write)]
    assert "<key>CLAUDE_MAX_KEEPALIVE_INTERVAL</key>" in content
    assert "<string>--drain-timeout</string>" in content


def test_a_service_does_not_die_of_an_upgrade(home: Path) -> None:
    """As the service that launchd started, old names are told as errors in the log, and used."""
    file = home / "config.toml"
    file.write_text("queue = 5\n")
    environ = {"CLAUDE_MAX_CONFIG": str(file), "CLAUDE_MAX_WARM": "0", "XPC_SERVICE_NAME": "com.claude-max.proxy"}
    with running_proxy(home, "--demo", "--max-workers", "2", environ=environ, ready=None) as proxy:
        proxy.wait_for("--max-workers is now called --workers: `claude-max doctor --fix` rewrites it.")
        proxy.wait_for("CLAUDE_MAX_WARM is now called CLAUDE_MAX_WARM_WORKERS")
        proxy.wait_for(f"queue is now called queue_size (in {file})")
    assert installed()
    assert old_names({**environ, "HOME": str(home)}) != []


def test_every_json_object_names_its_schema(home: Path) -> None:
    for words in (["config", "show"], ["config", "path"], ["doctor", "--list-checks"], ["doctor", "--check", "python"]):
        assert claude_max(home, *words, "--json").json["schema"] == 1, words
    assert claude_max(home, "models", "--json", "--nonsense").json["schema"] == 1
    assert claude_max(home, "chat", "--demo", "--json", "hi").json["schema"] == 1
