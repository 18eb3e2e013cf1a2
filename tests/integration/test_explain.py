"""`poolwarden explain`: what an operator who sees a code is told, for every code that the source
documents name, and for those of this system."""

import json
import subprocess

import pytest

# What is asked -> what the likeliest meaning says, in title, meaning, causes, analogue or next step.
SOURCE_DOCUMENTS = {
    "0x80": ["ERROR_WAIT_NO_CHILDREN", "never started"],
    "0xffffffff": ["depend", "127"],
    "0xc0000005": ["STATUS_ACCESS_VIOLATION", "SIGSEGV"],
    "3221225477": ["STATUS_ACCESS_VIOLATION", "SIGSEGV"],
    "0xff": ["0xff of Windows", "exit code 255"],
    "0x0": ["ERROR_SUCCESS", "EXIT_SUCCESS"],
    "0x1": ["EXIT_FAILURE", "uncaught exception"],
    "0x2": ["called in a wrong way", "--help"],
    "0x3": ["gunicorn", "SIGABRT"],
    "0xe0434f4d": [".NET"],
}
OURS = {
    "0": ["background"],
    "1": ["output"],
    "126": ["noexec"],
    "127": ["shared library"],
    "137": ["SIGKILL", "OOM"],
    "139": ["SIGSEGV", "core"],
    "143": ["SIGTERM"],
    "SIGSEGV": ["signal 11", "core"],
    "segv": ["signal 11"],
    "SIGSYS": ["seccomp"],
    "-9": ["SIGKILL"],
    "EX_CONFIG": ["78", "configuration"],
}


def explain(program, *words):
    return subprocess.run([program, "explain", *words], capture_output=True, text=True, timeout=30)


def meanings(program, code):
    result = explain(program, "--json", code)
    assert result.returncode == 0, result.stderr
    [about] = json.loads(result.stdout)
    assert about["code"] == code
    return about["meanings"]


@pytest.mark.parametrize("code", SOURCE_DOCUMENTS)
def test_codes_of_the_source_documents(program, code):
    told = meanings(program, code)

    everything = json.dumps(told)
    for word in SOURCE_DOCUMENTS[code]:
        assert word in everything, f"{word!r} is not in {everything}"
    assert any(each["linux_analogue"] for each in told), "what it looks like here"
    assert all(each["next_step"] and each["meaning"] and each["causes"] for each in told)


@pytest.mark.parametrize("code", OURS)
def test_codes_and_signals_of_linux(program, code):
    everything = json.dumps(meanings(program, code))

    for word in OURS[code]:
        assert word.lower() in everything.lower(), f"{word!r} is not in {everything}"


@pytest.mark.parametrize("code, at_least", [("128", 2), ("0x80", 2), ("255", 2), ("0xff", 2)])
def test_what_may_be_several_things_is_told_as_each_of_them(program, code, at_least):
    told = meanings(program, code)
    titles = [each["title"] for each in told]
    text = explain(program, code).stdout

    assert len(set(titles)) == len(titles) >= at_least
    assert f"{code} has {len(titles)} meanings" in text
    assert [text.index(title) for title in titles] == sorted(text.index(title) for title in titles)


def test_several_codes_at_once_on_80_columns(program):
    result = explain(program, "139", "SIGTERM", "0xc0000005")

    assert result.returncode == 0
    for word in ("139", "SIGTERM", "STATUS_ACCESS_VIOLATION", "Usual causes:", "Next step:"):
        assert word in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert [each["code"] for each in json.loads(explain(program, "139", "-11", "--json").stdout)] == [
        "139", "-11"]


@pytest.mark.parametrize("word, near", [("SIGSEV", "SIGSEGV"), ("ex_confg", "EX_CONFIG"),
                                        ("STATUS_ACCES_VIOLATION", "STATUS_ACCESS_VIOLATION")])
def test_an_unknown_name_is_refused_with_the_nearest(program, word, near):
    result = explain(program, "139", word)

    assert result.returncode == 2 and result.stdout == ""
    assert f'"{word}"' in result.stderr and f"did you mean {near}?" in result.stderr


def test_a_code_without_a_letter_has_no_nearest(program):
    result = explain(program, "")

    assert result.returncode == 2 and "did you mean" not in result.stderr


def test_no_code_is_wrong_usage(program):
    result = explain(program)

    assert result.returncode == 2
    assert "139" in result.stderr
