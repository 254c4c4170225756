"""Settings: who wins, what is refused and how that is said, and the texts made from them."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from streams.core.board import Board
from streams.core.terms import RESPONSE_BY_CHANNEL, QueueTerms, Terms
from streams.errors import SettingsError
from streams.kpis import ALL_KPIS
from streams.settings import Settings, describe, example, load, markdown
from streams.settings.load import FIELDS
from streams.settings.options import value_of

ROOT = Path(__file__).parents[2]
KEY = "0123456789abcdef"


def write(folder: Path, text: str) -> Path:
    path = folder / "contact-streams.toml"
    path.write_text(text)
    return path


def problems(
    folder: Path, text: str = "", environ: dict[str, str] | None = None, **flags: Any
) -> str:
    """All problems, one a line; fails if there is none."""
    if text:
        write(folder, text)
    with pytest.raises(SettingsError) as raised:
        load(
            environ or {}, flags={k.replace("__", "."): v for k, v in flags.items()}, folder=folder
        )
    return "\n".join(raised.value.problems)


# -- who wins


def test_defaults_are_what_the_program_is_documented_to_do(tmp_path: Path) -> None:
    settings = load({}, folder=tmp_path)
    assert settings == Settings()
    assert settings.terms().default == QueueTerms(20_000, 5_000, "UTC")
    assert settings.terms().response_by_channel == RESPONSE_BY_CHANNEL
    assert settings.terms().agents_named is Terms().agents_named is False
    assert settings.terms().csat_10_positive_from == Terms().csat_10_positive_from
    assert settings.processing.segment_size == 16_384
    assert settings.keep_ms == 35 * 86_400_000
    assert settings.pseudonym_key is None


def test_flags_before_environment_before_file_before_defaults(tmp_path: Path) -> None:
    write(tmp_path, '[kafka]\nprefix = "file"\napp_id = "file"\nbootstrap = "file:1"\n')
    environ = {"STREAMS_KAFKA_PREFIX": "env", "STREAMS_KAFKA_APP_ID": "env"}
    flags = {"kafka.prefix": "flag", "kafka.partitions": None}
    settings = load(environ, flags=flags, folder=tmp_path)
    kafka = settings.kafka
    assert (kafka.prefix, kafka.app_id, kafka.bootstrap) == ("flag", "env", "file:1")
    assert kafka.partitions == 4
    assert settings.origins == {
        "kafka.prefix": "the command line",
        "kafka.app_id": "STREAMS_KAFKA_APP_ID",
        "kafka.bootstrap": str(tmp_path / "contact-streams.toml"),
    }


def test_the_file_is_the_one_named_or_the_one_here(tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text('[kafka]\nprefix = "other"\n')
    write(tmp_path, '[kafka]\nprefix = "here"\n')
    assert load({}, folder=tmp_path).kafka.prefix == "here"
    assert load({"STREAMS_CONFIG": str(other)}, folder=tmp_path).kafka.prefix == "other"


def test_an_empty_variable_is_none(tmp_path: Path) -> None:
    assert load({"STREAMS_KAFKA_PREFIX": ""}, folder=tmp_path).kafka.prefix == "cc"


def test_each_setting_can_be_set_in_the_environment_and_in_the_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(KEY)
    special = {"kafka.security_protocol": "SASL_SSL", "kafka.sasl_mechanism": "PLAIN"}
    for field in FIELDS:
        value = special.get(field.path, field.default)
        if "file" in field.name:
            value = str(secret)
        text = ",".join(value) if isinstance(value, tuple) else str(value)
        assert value_of(field, text) == value
        assert value_of(field, list(value) if isinstance(value, tuple) else value) == value


@pytest.mark.parametrize(
    ("text", "value"), [("120", 120), ("7.5", 7.5), (" 60 ", 60), ("1e3", 1000)]
)
def test_durations_are_numbers(tmp_path: Path, text: str, value: float) -> None:
    found = load({"STREAMS_PROCESSING_GRACE_SECONDS": text}, folder=tmp_path)
    assert found.processing.grace_seconds == value
    assert found.terms().grace_ms == value * 1000


@pytest.mark.parametrize(("text", "value"), [("true", True), (" FALSE ", False)])
def test_what_is_true_or_false_in_the_environment(tmp_path: Path, text: str, value: bool) -> None:
    assert load({"STREAMS_OUTPUT_AGENTS": text}, folder=tmp_path).output.agents is value


def test_what_the_file_says_is_in_the_terms(tmp_path: Path) -> None:
    write(
        tmp_path,
        "[output]\nagents = true\n[satisfaction]\ncsat_10_positive_from = 7\n"
        "[first_response_seconds]\nchat = 90\n[queues.PS]\nfirst_response_threshold_seconds = 30\n"
        '[[queues.PS.since]]\nfrom = "2026-11-01"\nfirst_response_threshold_seconds = 0\n',
    )
    terms = load({}, folder=tmp_path).terms()
    assert (terms.agents_named, terms.csat_10_positive_from) == (True, 7)
    since_ms = 1_793_491_200_000
    asked = [("other", 0), ("PS", since_ms - 1), ("PS", since_ms)]
    found = [terms.response_ms(queue, "chat", at) for queue, at in asked]
    assert found == [90_000, 30_000, 90_000]
    assert terms.response_ms("other", "email", 0) == RESPONSE_BY_CHANNEL["email"]


# -- what is refused


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[kafka]\npartitons = 4", "kafka.partitons: there is no such setting; did you mean part"),
        ("[kafka]\nport = 1", "did you mean metrics.port?"),
        ("[kafak]", "[kafak]: there is no such section; did you mean kafka?"),
        ("[queue]", "did you mean queues?"),
        ("kafka = 1", "kafka: must be a table"),
        ("[kafka]\npartitions = 0", "kafka.partitions = 0 (from"),
        ("[kafka]\npartitions = 0", "must be 1 to 512: each one costs a shard"),
        ("[kafka]\npartitions = 2.5", "must be a whole number"),
        ("[kafka]\npartitions = true", "must be a whole number, not a boolean"),
        ('[kafka]\npartitions = "four"', "must be a whole number; the unit is part of"),
        ("[kafka]\nprefix = 5", "must be text in quotes, not a number"),
        ("[kafka]\nprefix = [1]", "must be text in quotes, not a list"),
        ("[kafka]\nprefix = 2026-01-01", "not a date or time"),
        ('[kafka]\nprefix = "Not_ok"', "must be 1 to 60 lower-case letters"),
        ('[kafka]\nbootstrap = "host"', "must be host:port"),
        ('[kafka]\nbootstrap = "a:1,b:99999"', "must be host:port"),
        ('[kafka]\nsecurity_protocol = "SSLL"', "must be one of PLAINTEXT, SSL, SASL_PLAINTEXT"),
        ('[kafka]\nsecurity_protocol = "SSLL"', "; did you mean SSL?"),
        ("[processing]\nsegment_size = 10000", "must be a power of two"),
        ("[processing]\npublish_ms = 1", "below, each publish carries next to nothing"),
        ("[processing]\ntick_ms = 50", "must be 0 or 100 to 60000"),
        ("[processing]\ngrace_seconds = inf", "must be a finite number"),
        ("[processing]\ngrace_seconds = nan", "must be a finite number"),
        ('[processing]\ngrace_seconds = "2m"', "must be a number; the unit is part of"),
        ("[processing]\nkeep_days = 1", "must be whole until it is final"),
        ("[silence_seconds]\nsms = 7200\n[horizon_hours]\nsms = 1", "is beyond horizon_hours.sms"),
        ('[metrics]\nwindows = ["week"]', "must be one of quarter_hour"),
        ('[metrics]\nwindows = "day"\nhost = " "', "must be a host name"),
        ("[metrics]\nport = 65536", "must be 0 to 65535"),
        ('[metrics]\nusername = ""\npassword = "x"', "is empty, but there is a password"),
        ('[privacy]\npseudonym_key_id = "a b"', "must be 1 to 16 characters"),
        ('[privacy]\npseudonym_key_file = "/nowhere/key"', "cannot be read: No such file"),
        ('[defaults]\nzone = "Europe/Berln"', "not an IANA time zone; did you mean Europe/Berlin?"),
        ('[defaults]\nzone = "/etc/passwd"', "is not an IANA time zone"),
        ('[defaults]\nzone = "Europe"', "is not an IANA time zone"),
        ("[defaults]\nservice_level_threshold_seconds = -1", "must be 0 to 604800"),
        ('[kafka]\nsecurity_protocol = "SASL_SSL"', "needs username and password_file"),
        ('[kafka]\nusername = "me"', "would never be sent"),
        (f'[kafka]\ncafile = "{__file__}"', "would not be used"),
        (f'[kafka]\nsecurity_protocol = "SSL"\nkeyfile = "{__file__}"', "no use without the other"),
        ("[calendar]", "did you mean calendars?"),
        ('[defaults]\ncalendar = "Ofice"\n[calendars.Office]\nmonday = ["09:00-17:00"]',
         "there is no such calendar; did you mean Office?"),
        ("[defaults]\nfirst_response_threshold_seconds = 0.5", "must be 0 or 1 to 2592000"),
        ("[first_response_seconds]\nchat = 0", "must be 1 to 2592000: it is seconds of open time"),
        ("[output]\nagents = 1", "must be true or false, not a number"),
        ('[output]\nagents = "yes"', "must be true or false"),
        ("[kafka]\npartitions = false", "must be a whole number, not a boolean"),
        ("[satisfaction]\ncsat_10_positive_from = 1", "every answer would be positive"),
        ("kafka", "is not TOML"),
    ],
)  # fmt: skip
def test_what_is_refused_and_what_is_said(tmp_path: Path, text: str, said: str) -> None:
    assert said in problems(tmp_path, text)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        '[kafka]\npartitions = 0\nprefx = "a"\n[queues.PS]\nzone = "Mars"\n',
        {"STREAMS_METRICS_PORT": "x", "STREAMS_PORT": "1"},
        processing__publish_ms=1,
        processing__publis_ms=1,
    )
    assert len(found.splitlines()) == 7
    for said in ("partitions", "prefx", "'PS'", "METRICS_PORT", "STREAMS_PORT", "command line"):
        assert said in found


def test_unknown_variables_and_flags_are_guessed(tmp_path: Path) -> None:
    found = problems(tmp_path, environ={"STREAMS_KAFKA_BOOTSTRAPS": "a:1", "OTHER": "1"})
    assert found == (
        "STREAMS_KAFKA_BOOTSTRAPS in the environment: there is no such setting; "
        "did you mean STREAMS_KAFKA_BOOTSTRAP?"
    )
    assert "did you mean kafka.prefix?" in problems(tmp_path, kafka__prefx="a")


def test_variables_of_the_broker_are_known(tmp_path: Path) -> None:
    load({"STREAMS_CACHE_DIR": "/a", "STREAMS_STATE_DIR": "/b"}, folder=tmp_path)


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    missing = {"STREAMS_CONFIG": str(tmp_path / "no.toml")}
    assert "cannot be read: No such file" in problems(tmp_path, environ=missing)
    assert "cannot be read" in problems(tmp_path, environ={"STREAMS_CONFIG": str(tmp_path)})
    write(tmp_path, "").write_bytes(b"\xff")
    assert "it is not UTF-8" in problems(tmp_path)


# -- secrets


def test_secrets_come_from_files_and_are_shown_nowhere(tmp_path: Path) -> None:
    password, key = tmp_path / "password", tmp_path / "key"
    password.write_text("hunter2 \n")
    key.write_bytes(KEY.encode() + b"\r\n")
    settings = load(
        {
            "STREAMS_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "STREAMS_KAFKA_USERNAME": "me",
            "STREAMS_KAFKA_PASSWORD_FILE": str(password),
            "STREAMS_METRICS_PASSWORD": " hunter3",
            "STREAMS_PRIVACY_PSEUDONYM_KEY_FILE": str(key),
        },
        folder=tmp_path,
    )
    assert (settings.kafka.password, settings.metrics.password) == ("hunter2 ", " hunter3")
    assert settings.pseudonym_key == KEY.encode()
    assert settings.kafka.client_options() == {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "me",
        "sasl_plain_password": "hunter2 ",
    }
    for text in (describe(settings), repr(settings)):
        assert "hunter" not in text
        assert KEY not in text
    lines = [re.sub(" +", " ", line) for line in describe(settings).splitlines()]
    assert 'kafka.password = "***" # STREAMS_KAFKA_PASSWORD_FILE' in lines
    assert 'metrics.password = "***" # STREAMS_METRICS_PASSWORD' in lines


def test_wrong_secrets_are_not_shown_either(tmp_path: Path) -> None:
    short = tmp_path / "short"
    short.write_text("hunter2")
    text = f'[privacy]\npseudonym_key_file = "{short}"\n[metrics]\npassword = 99887766\n'
    found = problems(tmp_path, text, metrics__password="hunter4")
    assert "the file has 7 bytes, a key has 16 to 64" in found
    assert "metrics.password: not on the command line" in found
    assert "hunter" not in found
    assert "9988" not in problems(tmp_path, text)


def test_two_passwords_are_one_too_many(tmp_path: Path) -> None:
    secret, empty = tmp_path / "secret", tmp_path / "empty"
    secret.write_text("a")
    empty.write_text("\n")
    both = f'[metrics]\npassword = "a"\npassword_file = "{secret}"\n'
    assert "only one of them" in problems(tmp_path, both)
    assert "the file is empty" in problems(tmp_path, f'[metrics]\npassword_file = "{empty}"\n')


# -- texts


def test_everything_in_force_is_described_with_its_origin(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        '[calendars."Office"]\nfriday = ["22:00-06:00"]\nholidays = ["2026-12-25"]\n'
        '[queues."PS"]\nzone = "Europe/Berlin"\ncalendar = "Office"\n[queues."CS"]\n',
    )
    text = describe(load({"STREAMS_KAFKA_PREFIX": "acme"}, folder=tmp_path))
    lines = [re.sub(" +", " ", line) for line in text.splitlines()]
    assert 'kafka.prefix = "acme" # STREAMS_KAFKA_PREFIX' in lines
    assert "metrics.port = 9464 # default" in lines
    assert lines[len(FIELDS) :] == [
        f"calendars.'Office': zone UTC # {path}",
        "calendars.'Office' since ever: monday closed, tuesday closed, wednesday closed, "
        f"thursday closed, friday 22:00-06:00, saturday closed, sunday closed # {path}",
        f"calendars.'Office' special days: 2026-12-25 closed # {path}",
        "queues.'PS' since ever: threshold_ms 20000, short_abandon_ms 5000, zone Europe/Berlin, "
        f"opening 'Office', response_ms the channel's # {path}",
        "queues.'CS' since ever: threshold_ms 20000, short_abandon_ms 5000, zone UTC, "
        f"opening always, response_ms the channel's # {path}",
    ]


def test_the_documentation_and_the_example_are_up_to_date() -> None:
    """If not: ``python -m streams.settings --docs > docs/settings.md``, and ``--example``."""
    assert (ROOT / "docs" / "settings.md").read_text() == markdown()
    assert (ROOT / "contact-streams.toml").read_text() == example()


def test_the_example_says_the_defaults_and_all_of_it_is_valid(tmp_path: Path) -> None:
    write(tmp_path, example())
    assert load({}, folder=tmp_path) == Settings()
    write(tmp_path, re.sub(r'^# (?=[\w"-]+ = |\[)', "", example(), flags=re.MULTILINE))
    settings = load({}, folder=tmp_path)
    assert settings.kafka == Settings().kafka
    assert settings.processing == Settings().processing
    assert [t.threshold_ms for _, t in settings.queues["PS"]] == [30_000, 20_000]
    assert [t.opening for _, t in settings.queues["PS"]] == [settings.calendars["Office"]] * 2
    assert len(settings.calendars["Office"].special_days) == 3
    assert [d.limits.warning for d in settings.targets[0].dated] == [0.85, 0.92]
    known = {f.path for f in FIELDS if not f.option.secret}
    assert set(settings.origins) == known | {"calendars", "queues", "targets"}


@pytest.mark.parametrize("page", ["README.md", "docs/settings.md", "docs/targets.md"])
def test_what_a_page_shows_is_valid(page: str, tmp_path: Path) -> None:
    """All that a page shows, as one file."""
    shown = re.findall(r"^```toml\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    write(tmp_path, "\n".join(shown))
    settings = load({}, folder=tmp_path)
    assert settings.targets
    assert page == "docs/targets.md" or settings.calendars.keys() == {"Office"}
    assert page == "docs/targets.md" or settings.queues["PS"][-1][1].opening.zone != "UTC"


def test_every_setting_is_documented_and_its_default_is_allowed() -> None:
    for field in FIELDS:
        assert field.option.help.endswith("."), field.path
        assert field.variable in markdown()
        written = list(field.default) if isinstance(field.default, tuple) else field.default
        assert value_of(field, written) == field.default
        if field.option.low is not None and field.option.high is not None:
            assert field.option.why or field.name in ("port", "dead_letters_consecutive_max")


def test_the_module_prints_them() -> None:
    command = [sys.executable, "-m", "streams.settings"]
    for option, text in (("--docs", markdown()), ("--example", example())):
        done = subprocess.run(
            [*command, option], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert done.stdout == text
    wrong = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert "usage" in wrong.stderr


def test_the_example_is_toml() -> None:
    assert set(tomllib.loads(example())) == {
        "kafka",
        "ingest",
        "processing",
        "silence_seconds",
        "horizon_hours",
        "first_response_seconds",
        "first_response_bands",
        "satisfaction",
        "output",
        "metrics",
        "privacy",
        "defaults",
    }


def test_what_takes_longest_to_mature_is_kept_until_it_is_final() -> None:
    """With the longest grace there may be; a day less would be too little."""
    terms = Terms(grace_ms=86_400_000)
    low_ms = min(d for d in range(1, 60) if not _wrong(d)) * 86_400_000
    Board(terms, ALL_KPIS, 1, keep_ms=low_ms)
    with pytest.raises(ValueError, match="is final"):
        Board(terms, ALL_KPIS, 1, keep_ms=low_ms - 86_400_000)


def _wrong(keep_days: int) -> bool:
    try:
        load({"STREAMS_PROCESSING_KEEP_DAYS": str(keep_days)}, folder=Path("/nowhere"))
    except SettingsError:
        return True
    return False
