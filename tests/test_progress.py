"""Progress on a terminal, on none, without rich; and when the reader presses Ctrl-C."""

import fcntl
import io
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest
from conftest import ROOT

from inside_musicnn.progress import Progress, span
from making.running.estimate import GUESS, Estimate
from making.running.progress import RunProgress

SCRIPT = """
import sys, time
import inside_musicnn.progress as progress
progress.PATIENCE = progress.PERIOD = 0.01
with progress.Progress(sys.stdout) as told:
    told.say("a name \\x1b[2J and \\u202e")
    for number in range(9):
        time.sleep(0.02)
        told.show(f"[bold]line[/] {number} \\x1b[31m :smile: " + "long " * 30, number / 8)
    told.say("in between")
    while "wait" in sys.argv:
        time.sleep(0.02)
        told.show("waiting")
print("the end")
"""
CONTROL = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
HIDES, SHOWS = b"\x1b[?25l", b"\x1b[?25h"


def on_terminal(*arguments, columns=40, before="", interrupt=None):
    """What the script writes to a terminal; Ctrl-C once `interrupt` is there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("COLUMNS", "LINES")}
    process = subprocess.Popen(
        [sys.executable, "-c", before + SCRIPT, *arguments], cwd=ROOT, stdin=theirs,
        stdout=theirs, stderr=subprocess.DEVNULL, env=environment | {"TERM": "xterm-256color"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
    os.close(theirs)
    said, deadline = b"", time.monotonic() + 60
    while select.select([ours], [], [], max(0, deadline - time.monotonic()))[0]:
        try:
            part = os.read(ours, 2**16)
        except OSError:  # how Linux tells that the other side is closed
            break
        if not part:
            break
        said += part
        if interrupt and interrupt in said:
            process.send_signal(signal.SIGINT)
            interrupt = None
    os.close(ours)
    assert process.wait(10) == (0 if b"the end" in said else -signal.SIGINT)
    return said


@pytest.mark.parametrize("columns", [5, 40, 200])
def test_a_terminal_gets_one_line_that_changes(columns):
    said = on_terminal(columns=columns)
    assert said.count(HIDES) == said.count(SHOWS) > 0 and said.rfind(SHOWS) > said.rfind(HIDES)
    assert b"\x1b[2J" not in said and "\u202e".encode() not in said and b"\x1b[31m :" not in said
    plain = CONTROL.sub(b"", said).decode()
    rows = re.split(r"[\r\n]+", plain)
    changing = [row for row in rows if row and "name" not in row
                and row not in ("in between", "the end")]
    assert len(changing) >= 8 and max(map(len, changing)) <= columns
    assert "a name \\x1b[2J and \\u202e" in rows and rows[-2:] == ["the end", ""]
    if columns == 200:
        assert any("100%" in row and "[bold]line[/] 8 \\x1b[31m :smile:" in row
                   for row in changing)


def test_ctrl_c_gives_the_cursor_back():
    said = on_terminal("wait", interrupt=b"waiting")
    assert b"the end" not in said and said.rfind(SHOWS) > said.rfind(HIDES) > 0


def test_without_rich_lines_are_plain():
    said = on_terminal(before="import sys; sys.modules['rich.console'] = None")
    assert b"\x1b" not in said
    assert said.decode().split("\r\n") == ["a name \\x1b[2J and \\u202e", "in between", "the end",
                                           ""]


def test_without_a_terminal_lines_come_now_and_then(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    now = [0.0]
    monkeypatch.setattr("inside_musicnn.progress.time.monotonic", lambda: now[0])
    silent, told = io.StringIO(), io.StringIO()
    quiet, regular = Progress(silent), Progress(told, every=10)
    for second in range(25):
        now[0] = float(second)
        quiet.show(f"second {second}", 0.5)
        regular.show(f"second {second}", 0.5)
    quiet.say("done")
    assert silent.getvalue() == "done\n" and told.getvalue() == "second 10\nsecond 20\n"


def test_a_run_tells_what_is_done_and_left():
    stream = io.StringIO()
    progress = RunProgress(3, Estimate({"a": 1, "b": 1, "c": 1}, {"a": 5.0}, jobs=1), stream)
    progress.taken("song: a", 5.0)
    progress.expect({"song: b": "b", "song: c": "c"})
    for name in "bc":
        progress.started(f"song: {name}")
        progress.tick()
        progress.finished(f"song: {name}", 5.0)
    assert stream.getvalue().splitlines() == [
        "[1/3] song: a              taken from earlier work (5.0 s saved)",
        "2 to execute, about 10 s left",
        "[2/3] song: b              done in 5.0 s, about 5 s left",
        "[3/3] song: c              done in 5.0 s"]


# Time left

def test_time_left_follows_what_is_measured():
    sizes = {f"{number:02}": 1000 * (1 + number % 3) for number in range(9)}
    estimate = Estimate(sizes, {}, jobs=2, after=10.0)
    names = sorted(sizes)
    at_first = estimate.left([], names)
    assert 9 * GUESS / 2 <= at_first - 10 <= 9 * GUESS
    assert estimate.seconds("02") == pytest.approx(3 * estimate.seconds("00"))
    for name in names[:5]:
        estimate.learn(name, 3 * GUESS * sizes[name] / 2000)  # a slow machine
    assert estimate.left([], names) > 2 * at_first
    assert estimate.left([], []) == 10.0
    assert estimate.left([(names[0], 1e9)], []) == 10.0  # late, but never less than nothing


def test_earlier_runs_count_and_stand_for_what_no_run_has_measured():
    estimate = Estimate({"old": 100, "new": 200}, {"old": 1000.0, "gone": 5.0}, jobs=1)
    assert estimate.left([], ["old"]) == pytest.approx(1000)
    assert estimate.left([], ["new"]) == pytest.approx(2000)


def test_lengths_of_time_in_words():
    assert [span(seconds) for seconds in (4.4, 150, 7500)] == ["4 s", "2 min", "2 h 5 min"]
