"""A proxy that hides how fast a service may be asked.

Our server says with each refusal when to come back, in a header and in words. What is measured here is a service that says
neither, so something between the two takes it out: the server still decides which requests pass.
"""

import http.client
import http.server
import threading

SAYS = ("retry-after", "retry-after-ms", "x-should-retry")
REFUSED = b'{"error":{"message":"Rate limit reached.","type":"invalid_request_error","param":null,"code":"rate_limit_exceeded"}}'


class Hiding:
    """Passes on to `address` whatever it is asked, until it is closed."""

    def __init__(self, address):
        handler = type("Handler", (_Handler,), {"address": address})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.behind = http.client.HTTPConnection(self.address, timeout=60)

    def finish(self):
        self.behind.close()
        super().finish()

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        self.behind.request(self.command, self.path, body or None, kept)
        answer = self.behind.getresponse()
        data = answer.read()
        if answer.status == 429:
            data = REFUSED
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            lower = name.lower()
            if lower in SAYS or lower.startswith("x-ratelimit") or lower in ("content-length", "connection"):
                continue
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = pass_on

    def log_message(self, *_):
        pass
