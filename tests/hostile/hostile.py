#!/usr/bin/env python3
"""Hostile load against the real server: idle connections, slow heads, huge bodies, random bytes.

    cargo build --release -p openai-admin-cli
    python3 tests/hostile/hostile.py target/release/openai-admin             # all of it: some minutes
    python3 tests/hostile/hostile.py target/release/openai-admin --part 0.01 # a hundredth: what the tests run

Meanwhile, another process requests a page every few milliseconds, as a well-behaved client. The server must stay
up, answer that client in time, and stay within its memory. Needs Linux, and `ulimit -n` above the number of connections.
"""

import argparse
import asyncio
import http.client
import json
import multiprocessing
import os
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time

KEY = "sk-admin-hostile-0123456789abcdef"

IDLE_CONNECTIONS = 10_000
SLOW_HEADS = 1_000
HUGE_BODIES = 32
HUGE_BODY_BYTES = 100 * 1024 * 1024
HUGE_BODIES_SECONDS = 10
COMPARISON_SECONDS = 5
RANDOM_REQUESTS = 100_000
RANDOM_CONNECTIONS = 64

# What the server promises under all of it.
P99_MS_MAX = 50
MEMORY_MIB_MAX = 512

PROBE_PAUSE_S = 0.005
# With --any-latency.
LONG_PROBE_PAUSE_S = 0.05
# The server ends a head after ten seconds; this is what it may take to notice and close a thousand.
SLOW_HEAD_SECONDS_MAX = 30


class Server:
    def __init__(self, binary, folder):
        self.process = subprocess.Popen(
            [binary, "serve", "--listen", "127.0.0.1:0", "--database", f"sqlite:{folder}/hostile.db", "--log", "warn"],
            env={"OPENAI_ADMIN_KEY": KEY, "PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for line in self.process.stderr:
            if found := re.match(r"listening on http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
                break
        else:
            sys.exit("the server did not start")
        self.log = []
        threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True).start()

    def memory_mib(self):
        """The most that was resident so far."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1]) // 1024

    def stop(self):
        assert self.process.poll() is None, f"the server has ended:\n{''.join(self.log)}"
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0, "".join(self.log)


def ask(connection, method, path, body=None):
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    connection.request(method, f"/v1{path}", body and json.dumps(body), headers)
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status == 200, (answer.status, text)
    return json.loads(text)


def furnish(port):
    """A group of a hundred users, whose page the well-behaved client reads."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    group = ask(connection, "POST", "/organization/groups", {"name": "Staff"})["id"]
    for number in range(100):
        user = ask(connection, "POST", "/x/users", {"name": f"User {number}", "email": f"user{number}@example.com"})
        ask(connection, "POST", f"/organization/groups/{group}/users", {"user_id": user["id"]})
    return f"/organization/groups/{group}/users"


def probe(port, path, pause, stop, latencies):
    """The well-behaved client: at least one request, and a new connection every hundred."""
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for _ in range(100):
            begun = time.perf_counter()
            ask(connection, "GET", path)
            latencies.put((time.perf_counter() - begun) * 1000)
            if stop.wait(pause):
                connection.close()
                return
        connection.close()


async def connect(port):
    return await asyncio.open_connection("127.0.0.1", port)


async def idle(port, count):
    connections = []
    for begin in range(0, count, 500):
        connections += await asyncio.gather(*(connect(port) for _ in range(min(500, count - begin))))
    await asyncio.sleep(10)
    held = sum(not reader.at_eof() for reader, _ in connections)
    for _, writer in connections:
        writer.close()
    assert held == count, f"{count - held} of {count} idle connections were closed early"
    return f"{held} held for 10 s"


async def slow_head(port):
    reader, writer = await connect(port)
    begun = time.monotonic()
    writer.write(b"GET /v1/organization/groups HTTP/1.1\r\nhost: ")
    while time.monotonic() - begun < SLOW_HEAD_SECONDS_MAX:
        try:
            if await asyncio.wait_for(reader.read(1), 1) == b"":
                break
        except asyncio.TimeoutError:
            writer.write(b"x")
        except ConnectionError:
            break
    writer.close()
    return time.monotonic() - begun


async def slow_heads(port, count):
    seconds = await asyncio.gather(*(slow_head(port) for _ in range(count)))
    assert max(seconds) < SLOW_HEAD_SECONDS_MAX, "a slow head was not cut"
    return f"{count} cut after {min(seconds):.0f} to {max(seconds):.0f} s"


async def huge_body(port, announced):
    reader, writer = await connect(port)
    length = f"content-length: {HUGE_BODY_BYTES}" if announced else "transfer-encoding: chunked"
    head = (
        f"POST /v1/organization/groups HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n"
        f"content-type: application/json\r\n{length}\r\n\r\n"
    )
    piece = b" " * 65536
    sent = 0
    try:
        writer.write(head.encode())
        while sent < HUGE_BODY_BYTES:
            writer.write(piece if announced else b"10000\r\n" + piece + b"\r\n")
            await writer.drain()
            sent += len(piece)
    except ConnectionError:
        pass
    writer.close()
    return sent


async def huge_bodies(port, count, seconds):
    """They are cut so soon that once is too short to see what others feel of it."""
    begun, all_sent = time.monotonic(), []
    while time.monotonic() - begun < seconds:
        sent = await asyncio.gather(*(huge_body(port, number % 2 == 0) for number in range(count)))
        assert max(sent) < HUGE_BODY_BYTES, "a huge body was taken whole"
        all_sent += sent
    return f"{len(all_sent)} cut after <= {max(all_sent) / 1024 / 1024:.0f} MiB"


async def random_requests(port, count):
    source = random.Random(1)
    left = count

    async def send():
        nonlocal left
        while left > 0:
            left -= 1
            bytes_ = source.randbytes(source.randrange(1, 512))
            # Half of them begin like a request, and get further.
            if source.random() < 0.5:
                bytes_ = b"GET /v1/organization/groups?" + bytes_
            try:
                reader, writer = await connect(port)
                writer.write(bytes_ + b"\r\n\r\n")
                writer.write_eof()
                await asyncio.wait_for(reader.read(65536), 30)
                writer.close()
            except (ConnectionError, OSError):
                pass

    await asyncio.gather(*(send() for _ in range(RANDOM_CONNECTIONS)))
    return f"{count} sent"


def run(name, attack, server, path, pause):
    """One kind of attack, and what the well-behaved client sees of it."""
    stop, latencies = multiprocessing.Event(), multiprocessing.SimpleQueue()
    prober = multiprocessing.Process(target=probe, args=(server.port, path, pause, stop, latencies))
    seen = []
    prober.start()
    collector = threading.Thread(target=lambda: seen.extend(iter(latencies.get, None)))
    collector.start()
    begun = time.monotonic()
    outcome = asyncio.run(attack)
    stop.set()
    prober.join()
    latencies.put(None)
    collector.join()
    assert prober.exitcode == 0, "the well-behaved client was not answered"
    assert server.process.poll() is None, "the server has ended"
    seen.sort()
    p50, p99 = seen[len(seen) // 2], seen[len(seen) * 99 // 100]
    print(
        f"{name:15} {outcome:28} {time.monotonic() - begun:6.1f} s   {len(seen):6} answers: "
        f"p50 {p50:6.2f} ms   p99 {p99:6.2f} ms   max {seen[-1]:7.2f} ms   memory {server.memory_mib():4} MiB",
        flush=True,
    )
    return p99


async def nothing(seconds):
    await asyncio.sleep(seconds)
    return "for comparison"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--part", type=float, default=1, help="how much of the load, 1 by default")
    busy = "for machines that do other things: latency is not judged, and the page is requested less often"
    parser.add_argument("--any-latency", action="store_true", help=busy)
    arguments = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    def part(count):
        return max(1, round(count * arguments.part))

    with tempfile.TemporaryDirectory() as folder:
        server = Server(arguments.binary, folder)
        port = server.port
        path = furnish(port)
        pause = LONG_PROBE_PAUSE_S if arguments.any_latency else PROBE_PAUSE_S
        p99s = [
            run(name, attack, server, path, pause)
            for name, attack in [
                ("no attack", nothing(part(COMPARISON_SECONDS))),
                ("idle", idle(port, part(IDLE_CONNECTIONS))),
                ("slow heads", slow_heads(port, part(SLOW_HEADS))),
                ("huge bodies", huge_bodies(port, part(HUGE_BODIES), part(HUGE_BODIES_SECONDS))),
                ("random bytes", random_requests(port, part(RANDOM_REQUESTS))),
            ]
        ]
        memory = server.memory_mib()
        server.stop()
    assert memory <= MEMORY_MIB_MAX, f"{memory} MiB are more than {MEMORY_MIB_MAX}"
    assert arguments.any_latency or max(p99s) <= P99_MS_MAX, f"{max(p99s):.1f} ms are more than {P99_MS_MAX}"
    print(f"passed: p99 at most {max(p99s):.1f} ms, memory at most {memory} MiB")


if __name__ == "__main__":
    main()
