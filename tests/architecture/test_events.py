"""The catalogue of events against the source: none that nothing raises."""

import re
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src"
# Where events are described, filtered, counted or remembered; not where they happen.
NOT_RAISED_HERE = {"pool/event.h", "pool/event.cpp", "pool/was_number.cpp", "pool/log_policy.cpp",
                   "metrics/event_metrics.cpp", "journal/slot_history.cpp"}
# A comparison, and the name of an event for a hook's environment.
ASKED_FOR = re.compile(r"[!=]=\s*(?:pool::)?EventKind::\w+|type_of\(\s*(?:pool::)?EventKind::\w+")


def kinds():
    listed = re.search(r"enum class EventKind \{(.*?)\};", (SOURCE / "pool/event.h").read_text(), re.S)
    return re.findall(r"^\s*(\w+),", listed.group(1), re.M)


def raised():
    found = set()
    for path in SOURCE.rglob("*.cpp"):
        if str(path.relative_to(SOURCE)) not in NOT_RAISED_HERE:
            text = ASKED_FOR.sub("", re.sub(r"//.*", "", path.read_text()))
            found |= set(re.findall(r"EventKind::(\w+)", text))
    return found


def test_every_event_is_raised_somewhere():
    assert len(kinds()) > 50
    assert set(kinds()) - raised() == set()
