"""The set-up dialogue: what is asked, tried at once, shown and written, and where secrets go."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring.errors
import pytest

from core.cli.setup_file import document_text
from core.sandbox.serve import SandboxOptions, SandboxThread
from tests.unit.cli_kit import Said, World, call, open_world, state_home

__all__ = ["state_home"]

NEW = ["1", ""]  # the organization of new projects, and the same of new employees
END = [*NEW, "", "", "", ""]  # no template, the zone as suggested, the schedule as suggested, and yes


@pytest.fixture(scope="module")
def world(state_home: Path) -> Iterator[World]:
    yield from open_world(state_home, firms=8, contacts=10, projects=6, employees=4)


async def no_wait(_budget: object) -> None:
    """The rate limit of the real systems, which the set-up keeps and a test need not."""


@pytest.fixture(autouse=True)
def terminal(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.cli.setup.need_terminal", lambda: None)
    monkeypatch.setattr("core.http.RateBudget.take", no_wait)
    if request.node.name != "test_it_asks_tries_shows_and_writes":  # asking everything once more takes its time
        monkeypatch.setattr("core.cli.setup._doctor", lambda settings: None)
    monkeypatch.setattr("core.tryout.local_zone", lambda: "America/Chicago")


def ajera_lines(world: World, place: str = "file", password: str = "") -> list[str]:
    ajera = world.sandbox.ajera
    return [world.sandbox.ajera_url, ajera.username, place, password or ajera.password]


def crm_lines(world: World, place: str = "file", url: str = "") -> list[str]:
    crm = world.sandbox.crm
    first = [url or world.sandbox.crm_url, crm.database, crm.username, place, crm.password]
    return [*first, crm.client_id, place, crm.client_secret, "dps1"]


def set_up(config: Path, *lines: str, parts: tuple[str, ...] = ()) -> Said:
    return call("--config", str(config), "setup", *parts, stdin="".join(f"{line}\n" for line in lines))


def written(config: Path) -> dict[str, Any]:
    return tomllib.loads(config.read_text(encoding="utf-8"))


@pytest.fixture
def made(world: World, tmp_path: Path) -> Path:
    """What a set-up before this one wrote."""
    config = tmp_path / "conf/config.toml"
    config.parent.mkdir(mode=0o700)
    text = document_text(tomllib.loads(world.sandbox.config_toml()))
    config.write_text(text, encoding="utf-8")
    return config


def test_it_asks_tries_shows_and_writes(world: World, tmp_path: Path) -> None:
    config = tmp_path / "conf/config.toml"
    templates = ["Standard A/E", "Study"]
    said = set_up(config, *ajera_lines(world), *crm_lines(world), *NEW, templates[0], "", "*/20 8-17 * * mon-fri", "y")
    assert said.code == 0, said.err
    assert said.out == ""
    for shown in (
        *("ClientID 40123, DatabaseID 7, sample data", "Ajera 9.", world.sandbox.ajera.company),
        *("a login lasts 1799 seconds", "tick of a contact: column", "Ajera project template: column", templates[-1]),
        *("Its API is at", "next: ", "doctor:", "checks are ok"),
    ):
        assert shown in said.err, (shown, said.err)
    assert said.err.count("next: ") == 5
    document = written(config)
    assert document["crm"]["defaults"] == {"project": {"Org": "NE:AR"}, "employee": {"Org": "NE:AR"}}
    assert document["ajera"]["password"] == {"file": "ajera.password.secret"}
    assert document["schedule"] == {"cron": "*/20 8-17 * * mon-fri", "timezone": "America/Chicago"}
    assert document["sync"] == {"enabled": True, "default_template": templates[0]}
    for path in config.parent.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path
    text = config.read_text(encoding="utf-8")
    assert f'"{world.sandbox.ajera.password}"' not in text + said.err
    assert "# The connection to Ajera" in text
    assert "# DPS 1.x or Vantagepoint" in text
    assert call("--config", str(config), "doctor").code <= 1


def test_a_url_that_was_cut_is_refused_and_asked_again(world: World, tmp_path: Path) -> None:
    url = world.sandbox.ajera_url
    bad = [url[:-9], url.split("?", maxsplit=1)[0], "http://example.com/AjeraAPI.ashx?e30=", "not an address"]
    said = set_up(tmp_path / "c.toml", *bad, *ajera_lines(world), *crm_lines(world), *END)
    assert said.code == 0, said.err
    assert "cut short or changed" in said.err
    assert "The part after the question mark is missing" in said.err
    assert "An address begins with https://" in said.err


def test_plain_http_is_refused_where_it_is_typed(world: World, tmp_path: Path) -> None:
    url = world.sandbox.ajera_url.replace("127.0.0.1", "ajera.example.com")
    said = set_up(tmp_path / "c.toml", url, *ajera_lines(world), *crm_lines(world), *END)
    assert said.code == 0, said.err
    assert "plain http would show the password" in said.err


def test_a_wrong_password_is_told_at_once_and_asked_alone(world: World, tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    again = ["", "file", world.sandbox.ajera.password]
    said = set_up(config, *ajera_lines(world, password="wrong-one"), *again, *crm_lines(world), *END)
    assert said.code == 0, said.err
    assert "Ajera refused the login" in said.err
    assert said.err.index("refused the login") < said.err.index("CRM (DPS")
    assert "wrong-one" not in said.err
    assert (tmp_path / "c.ajera.password.secret").read_text(encoding="utf-8").strip() == world.sandbox.ajera.password


def test_without_a_connection_nothing_is_written_unasked(world: World, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    lines = [*ajera_lines(world, password="wrong-one"), "go-on", *crm_lines(world), *NEW, "", "", ""]
    said = set_up(config, *lines, "n")
    assert said.code == 1
    assert "Nothing was written" in said.err
    assert list(tmp_path.iterdir()) == []
    assert set_up(config, *lines, "y").code == 1
    assert config.exists()


def test_secrets_go_to_the_keyring(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[tuple[str, str], str] = {}
    monkeypatch.setattr("keyring.set_password", lambda service, name, value: kept.update({(service, name): value}))
    monkeypatch.setattr("keyring.get_password", lambda service, name: kept.get((service, name)))
    config = tmp_path / "config.toml"
    said = set_up(config, *ajera_lines(world, "keyring"), *crm_lines(world, "keyring"), *END)
    assert said.code == 0, said.err
    assert {name for _service, name in kept} == {"ajera.password", "crm.password", "crm.client_secret"}
    assert set(written(config)["crm"]["client_secret"]) == {"keyring"}


def test_without_a_keyring_it_asks_again(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(service: str, name: str, value: str) -> None:
        raise keyring.errors.NoKeyringError

    monkeypatch.setattr("keyring.set_password", none)
    more = ["file", world.sandbox.ajera.password]
    said = set_up(tmp_path / "c.toml", *ajera_lines(world, "keyring"), *crm_lines(world, "plain"), *END, *more)
    assert said.code == 0, said.err
    assert "NoKeyringError" in said.err
    assert written(tmp_path / "c.toml")["ajera"]["password"] == {"file": "c.ajera.password.secret"}


def test_a_command_and_a_variable_are_tried_as_they_are_typed(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ajera, crm = world.sandbox.ajera, world.sandbox.crm
    monkeypatch.setenv("CRM_WORD", crm.password)
    lines = [
        *(world.sandbox.ajera_url, ajera.username, "command", "false", "command", f"printf {ajera.password}"),
        *(world.sandbox.crm_url, crm.database, crm.username, "env", "CRM_WORD"),
        *(crm.client_id, "plain", crm.client_secret, "dps1"),
    ]
    said = set_up(tmp_path / "c.toml", *lines, *END)
    assert said.code == 0, said.err
    assert "the command ended with code 1" in said.err
    assert written(tmp_path / "c.toml")["crm"]["password"] == {"env": "CRM_WORD"}


def test_one_part_is_asked_again_and_all_else_stays(world: World, made: Path) -> None:
    text = made.read_text(encoding="utf-8").replace("[crm]", "# ours\n[crm]\ntimeout = 12.5")
    made.write_text(text, encoding="utf-8")
    said = set_up(made, "schedule", "Europe/Oslo", "0 6 * * *", "n", "0 7 * * *", "y")
    assert said.code == 0, said.err
    document = written(made)
    assert document["schedule"] == {"cron": "0 7 * * *", "timezone": "Europe/Oslo"}
    assert document["crm"]["timeout"] == 12.5
    assert "# ours" in made.read_text(encoding="utf-8")
    (copy,) = made.parent.glob("config.toml.before-*")
    assert copy.read_text(encoding="utf-8") == text
    assert copy.stat().st_mode & 0o777 == 0o600


def test_stopping_half_way_leaves_nothing(world: World, tmp_path: Path) -> None:
    said = set_up(tmp_path / "config.toml", *ajera_lines(world), *crm_lines(world))
    assert said.code == 130
    assert "Stopped." in said.err
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_left_alone_by_an_empty_line(made: Path) -> None:
    before = made.read_bytes()
    assert set_up(made, "").code == 0
    assert made.read_bytes() == before


def test_a_zone_and_a_schedule_that_are_none_are_asked_again(made: Path) -> None:
    said = set_up(made, "America/Chicag", "America/Chicago", "whenever", "0 0 31 2 *", "none", parts=("schedule",))
    assert said.code == 0, said.err
    for words in ("did you mean America/Chicago", "a schedule has five", "never due"):
        assert words in said.err
    assert written(made)["schedule"]["cron"] == ""


def test_what_new_records_need_is_asked_again_alone(world: World, made: Path) -> None:
    text = world.sandbox.config_toml()
    made.write_text(text, encoding="utf-8")  # with a table of its own for each kind
    said = set_up(made, "nowhere", "99", "none", "2", parts=("defaults",))
    assert said.code == 0, said.err
    assert "Organization of a new project (column Org" in said.err
    assert "There is no 'nowhere' in the list" in said.err
    assert "[NE:AR]" in said.err
    assert set(written(made)["crm"]["defaults"]) == {"employee"}
    assert written(made)["crm"]["defaults"]["employee"]["Org"] != "NE:AR"
    assert {**written(made), "crm": None} == {**tomllib.loads(text), "crm": None}


def test_an_address_where_nothing_answers_is_told_as_it_is_typed(world: World, tmp_path: Path) -> None:
    away = world.sandbox.crm_url.replace(str(world.sandbox.crm_url.split(":")[2].split("/")[0]), "9")
    lines = crm_lines(world)
    said = set_up(tmp_path / "c.toml", *ajera_lines(world), away, "n", *lines, *END)
    assert said.code == 0, said.err
    assert "127.0.0.1:9 does not answer here: the connection is refused" in said.err


def test_a_template_is_chosen_by_number(world: World, made: Path) -> None:
    said = set_up(made, "99", "1", parts=("template",))
    assert said.code == 0, said.err
    assert "There is no '99' in the list" in said.err
    assert f"  1. {written(made)['sync']['default_template']}" in said.err


def test_a_broken_file_is_kept(world: World, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[ajera\n", encoding="utf-8")
    assert set_up(config, "n").code == 2
    assert set_up(config, "y", *ajera_lines(world), *crm_lines(world), *END).code == 0
    (copy,) = tmp_path.glob("config.toml.before-*")
    assert copy.read_text(encoding="utf-8") == "[ajera\n"


def test_a_contact_tick_that_metadata_does_not_show_is_asked_for(tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    quirks = ("firm_contact_flag=",)
    with SandboxThread(SandboxOptions(rate=0, firms=4, contacts=4, projects=4, employees=2, quirks=quirks)) as sandbox:
        world = World(sandbox, config)
        asked = ["NoSuch", "none"]
        said = set_up(config, *ajera_lines(world), *crm_lines(world), *asked, *END)
    assert said.code == 0, said.err
    assert "The CRM has no column 'NoSuch' on contacts" in said.err
    assert said.err.count("ticks of contacts are kept here only") == 2
    assert "mark_columns" not in written(config)["crm"]


def test_answers_from_a_file(world: World, tmp_path: Path) -> None:
    config, answers = tmp_path / "new/config.toml", tmp_path / "answers.toml"
    answers.write_text(world.sandbox.config_toml(), encoding="utf-8")
    words = ("--config", str(config), "setup", "--from-answers", str(answers))
    said = call(*words)
    assert said.code == 0, said.err
    assert "a login lasts 1799 seconds" in said.err
    assert written(config) == tomllib.loads(world.sandbox.config_toml())
    assert config.stat().st_mode & 0o777 == 0o600
    assert call(*words).code == 2
    assert call(*words[:-1], "-", "--replace", stdin=answers.read_text(encoding="utf-8")).code == 0
    answers.write_text(world.sandbox.config_toml().replace("[crm]", "[crm]\ncolour = 1"), encoding="utf-8")
    assert call(*words, "--replace").code == 2
    assert written(config) == tomllib.loads(world.sandbox.config_toml())
    wrong = world.sandbox.config_toml().replace(world.sandbox.ajera.password, "wrong-one")
    answers.write_text(wrong, encoding="utf-8")
    said = call(*words, "--replace")
    assert said.code == 3
    assert "wrong-one" not in said.err
