"""A third face in one file: a page on this machine that fuses the stacks of a folder.

python examples/serve_folder.py STACKS [PORT]    then http://127.0.0.1:8000/
http://127.0.0.1:8000/ant?mode=select fuses STACKS/ant/ and shows the picture; any setting of
`panfocus.fuse` may stand behind the question mark.
"""

import html
import sys
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import panfocus
from panfocus.pipeline.settings import from_text


class Page(BaseHTTPRequestHandler):
    """Lists the stacks of `folder`, and shows one of them fused."""

    folder = Path()

    def do_GET(self):
        """Answer with the list, a picture, or what is wrong, in the words of the library."""
        address = urlsplit(self.path)
        stacks = {path.name: path for path in sorted(self.folder.iterdir()) if path.is_dir()}
        name = unquote(address.path).strip("/")
        if name not in stacks:
            links = (f'<li><a href="/{quote(n)}">{html.escape(n)}</a></li>' for n in stacks)
            self.answer(404 if name else 200, "text/html", f"<ul>{''.join(links)}</ul>".encode())
            return
        try:
            chosen = {key: from_text(key, value) for key, value in parse_qsl(address.query)}
            plan = panfocus.plan([stacks[name]], panfocus.Options(**chosen))
            with tempfile.TemporaryDirectory() as folder:
                panfocus.fuse(plan).save(Path(folder) / "fused.png")
                self.answer(200, "image/png", (Path(folder) / "fused.png").read_bytes())
        except (panfocus.PanfocusError, TypeError, ValueError) as error:
            self.answer(400, "text/plain", str(error).encode())

    def answer(self, code, kind, content):
        """Send a whole answer."""
        self.send_response(code)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    Page.folder = Path(sys.argv[1])
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 8000
    ThreadingHTTPServer(("127.0.0.1", port), Page).serve_forever()  # this machine alone
