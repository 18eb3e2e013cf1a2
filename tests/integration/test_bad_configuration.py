"""A bad file starts nothing, and tells where it is bad."""

import subprocess

import pytest

BAD = {
    "unknown key": ("""
pools:
  web:
    comand: [touch, FLAG]
""", "4:5", "command"),
    "not a duration": ("""
pools:
  web:
    command: [touch, FLAG]
    ready: {timeout: soon}
""", "5:22", "soon"),
    "not YAML": ("""
pools:
  web: {command: [touch, FLAG]
""", "3:8", "}"),
    "two pools with one route": ("""
pools:
  one:
    command: [touch, FLAG]
    routes: [{path: /}]
  two:
    command: [touch, FLAG]
    routes: [{path: /}]
""", "8:", "one"),
    "no command": ("""
pools:
  web:
    routes: [{path: /}]
""", "3:", "command"),
}


@pytest.mark.parametrize("kind", BAD)
def test_exits_2_and_starts_nothing(program, tmp_path, kind):
    text, place, word = BAD[kind]
    flag = tmp_path / "started"
    file = tmp_path / "bad.yaml"
    file.write_text(text.replace("FLAG", str(flag)))

    result = subprocess.run([program, "run", str(file), "--control", str(tmp_path / "control")],
                            capture_output=True, text=True, timeout=30)

    assert result.returncode == 2
    assert f"{file}:{place}" in result.stderr
    assert word in result.stderr
    assert not flag.exists()


def test_all_errors_are_told_at_once(program, tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text("listen: nowhere\npools:\n  web:\n    command: 5s5\n    wrkers: 2\n    start: x\n")

    result = subprocess.run([program, "check", str(file)], capture_output=True, text=True,
                            timeout=30)

    assert result.returncode == 2
    for line in (1, 5, 6):
        assert f"{file}:{line}:" in result.stdout + result.stderr


def test_a_file_that_is_not_there(program, tmp_path):
    result = subprocess.run([program, "run", str(tmp_path / "absent.yaml")], capture_output=True,
                            text=True, timeout=30)

    assert result.returncode == 2
    assert "absent.yaml" in result.stderr
