#!/usr/bin/env python3
"""An S3 server that takes every write, whatever its condition says: `featuregrid serve` must refuse it.

Prints its endpoint as the first line, and serves any bucket from memory until it is killed. Path style; signatures are
not looked at. Knows just enough of S3 for objects that fit in one request. Nothing but the standard library.
"""

import hashlib
import sys
import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

objects = {}
lock = threading.Lock()


class Careless(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def name(self):
        return unquote(urlsplit(self.path).path)

    def chunked(self):
        """A body that comes in pieces, as a body with a trailing checksum does."""
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def do_PUT(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = self.chunked()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        etag = '"%s"' % hashlib.md5(body).hexdigest()
        with lock:
            objects[self.name()] = (body, etag, formatdate(usegmt=True))
        self.answer(200, ETag=etag)

    def do_GET(self):
        query = parse_qs(urlsplit(self.path).query)
        if "list-type" in query:
            return self.list(self.name().strip("/"), query.get("prefix", [""])[0])
        with lock:
            found = objects.get(self.name())
        if found is None:
            return self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        body, etag, date = found
        self.answer(200, body, **{"ETag": etag, "Last-Modified": date})

    do_HEAD = do_GET

    def list(self, bucket, prefix):
        with lock:
            names = sorted((name.removeprefix(f"/{bucket}/"), it) for name, it in objects.items())
        contents = "".join(
            f"<Contents><Key>{escape(name)}</Key><Size>{len(body)}</Size><ETag>{escape(etag)}</ETag></Contents>"
            for name, (body, etag, _) in names
            if name.startswith(prefix)
        )
        page = f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"
        self.answer(200, page.encode(), **{"Content-Type": "application/xml"})

    def do_DELETE(self):
        with lock:
            objects.pop(self.name(), None)
        self.answer(204)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Careless)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
try:
    server.serve_forever()
except KeyboardInterrupt:
    sys.exit(0)
