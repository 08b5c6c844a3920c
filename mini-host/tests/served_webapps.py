"""A web app served by `minihost webapp`, for tests that ask it over HTTP as a person's browser or program does."""

import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def browse(served):
    """Return the page of a web app as a browser has made it of what is served."""
    link = f"{served.url}?token={served.token}"
    command = [
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--virtual-time-budget=8000",
        "--dump-dom",
        link,
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120).stdout


class Served:
    """A web app that the command serves, as a person with the link uses it."""

    def __init__(self, *words, cwd):
        command = [sys.executable, "-m", "minihost", "webapp", *map(str, words)]
        self.process = subprocess.Popen(
            command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip
        self.printed = ""
        for line in self.process.stdout:
            self.printed += line
            if found := re.search(r"(http://127\.0\.0\.1:\d+/)\?token=(\S+)", line):
                self.url, self.token = found.groups()
                break
        else:
            raise AssertionError(self.printed)

    def ask(self, path="", data=None, **headers):
        headers = {"Authorization": f"Bearer {self.token}", **headers}
        request = urllib.request.Request(self.url + path, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as err:
            return err.code, err.read().decode()

    def stop(self, number=signal.SIGINT):
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.printed += self.process.communicate(timeout=60)[0]
        return self.process.returncode
