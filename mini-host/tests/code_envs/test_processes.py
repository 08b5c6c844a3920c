"""Commands that end: by themselves, at their limit, or with whoever waits for them."""

import os
import sys
import time

import pytest

from minihost.plugins.code_envs import processes

GRANDCHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
child.wait()
"""


def is_running(number):
    for _ in range(50):
        try:
            os.kill(number, 0)
            with open(f"/proc/{number}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return False
        except (ProcessLookupError, FileNotFoundError):
            return False
        time.sleep(0.1)
    return True


def test_lines_and_code():
    said = []
    command = [sys.executable, "-c", "import sys; print('a'); print('b', file=sys.stderr); sys.exit(3)"]
    code, lines = processes.run(command, said.append, 60)
    assert code == 3
    assert sorted(lines) == ["a", "b"]
    assert said == lines


def test_a_command_that_takes_too_long_ends_with_all_that_it_started():
    said = []
    with pytest.raises(processes.TooLong):
        processes.run([sys.executable, "-c", GRANDCHILD], said.append, 2)
    assert not is_running(int(said[0]))


def test_ctrl_c_ends_all_that_was_started():
    started = []

    def interrupt(line):
        started.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        processes.run([sys.executable, "-c", GRANDCHILD], interrupt, 60)
    assert not is_running(started[0])


def test_a_command_has_no_terminal_to_ask_at():
    command = [sys.executable, "-c", "import sys; print(repr(sys.stdin.read())); open('/dev/tty')"]
    code, lines = processes.run(command, lambda _line: None, 60)
    assert code == 1
    assert lines[0] == "''"
    assert "OSError" in lines[-1]
