"""A log line is one line whatever an attacker typed: nobody can write a second one into it."""

import json
import logging

import pytest
import structlog

from shared.observability import configure_logging, get_logger

HOSTILE = 'x\r\n{"event":"signed_in","level":"info"}\u2028\u2029\x85\x0b\x0c\x1b[2J\u202e'


@pytest.fixture(autouse=True)
def _logging_as_before():
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before[0], before[1]
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.mark.parametrize("where", ["value", "event", "exception", "standard library"])
def test_hostile_text_stays_in_its_field(capsys, where):
    configure_logging(service="intake", process="serve", level="info")
    log = get_logger()

    if where == "value":
        log.info("request_answered", route=HOSTILE)
    elif where == "event":
        log.info(HOSTILE)
    elif where == "exception":
        try:
            int(HOSTILE)  # its message quotes what could not be read
        except ValueError:
            log.exception("request_failed")
    else:
        logging.getLogger("uvicorn").warning("%s", HOSTILE)

    written = capsys.readouterr().out
    assert written.count("\n") == 1
    assert json.loads(written)["service"] == "intake"
    assert not set("\r\x0b\x0c\x1b") & set(written)
