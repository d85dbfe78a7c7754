"""What the benchmarks share: programs that are run and built, servers that run beside them, and the machine below."""

import contextlib
import http.client
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

KEY = "sk-admin-bench"


def run(*command, **options):
    options = {"check": True, "text": True, "capture_output": True, **options}
    return subprocess.run([str(word) for word in command], **options)


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr)


def build(package, folder, target):
    say(f"building {package}")
    # All into one folder, so that what they share, such as SQLite, is built once.
    # The names of functions are for profiles; they cost nothing at run time.
    environment = {**os.environ, "CARGO_PROFILE_RELEASE_STRIP": "none"}
    run("cargo", "build", "--release", "-p", package, "--target-dir", target, cwd=folder, env=environment)
    return target / "release"


class Server:
    """A process that says its URL on standard output, or listens at the port that it is given."""

    def __init__(self, *command, env=None, port=None):
        environment = {**os.environ, "OPENAI_ADMIN_KEY": KEY, **(env or {})}
        self.process = subprocess.Popen(
            [str(word) for word in command], env=environment, text=True,
            stdout=subprocess.DEVNULL if port else subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.url = f"http://127.0.0.1:{port}" if port else self.process.stdout.readline().strip()
        self.address = self.url.removeprefix("http://")
        if port:
            wait_for_port(port, self.process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for_port(port, process):
    while process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.01)
    raise RuntimeError(f"{process.args[0]} ended instead of listening")


def ours(binary, url, *flags, before=(), env=None):
    """Our server with its default settings; its log is discarded."""
    url = f"sqlite:{url}" if isinstance(url, pathlib.Path) else url
    port = free_port()
    serve = [binary, "serve", "--database", url, "--listen", f"127.0.0.1:{port}", *flags]
    return Server(*before, *serve, env=env, port=port)


def get(address, path, method="GET", body=None, connection=None):
    own = connection or http.client.HTTPConnection(address, timeout=600)
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    own.request(method, path, body, headers)
    answer = own.getresponse()
    text = answer.read()
    assert answer.status == 200, f"{method} {path}: {answer.status} {text[:300]}"
    return text


def machine():
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text()).group(1))
    return {
        "cpu": cpu.group(1) if cpu else "unknown",
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 1024**2),
        "kernel": os.uname().release,
        "rustc": run("rustc", "--version").stdout.strip(),
    }
