#!/usr/bin/python3
"""calibrate.py [TEXT]: says the cases to servers that are known to be right, to find out whether the cases are.

The HTTP cases go to nginx (Debian's nginx-light), the WebSocket cases to `ws` for node (npm). Where one of them answers
otherwise than a case wants, peers.py says so and why; what is not noted, and a note that is not true any more, is
printed and is a failure. With TEXT only the cases whose name has it. Both are run here and end here, on
loopback. Not a part of `make check`: it checks the tests.
"""
import contextlib
import gzip
import os
import socket
import subprocess
import sys
import tempfile
import time

import http_cases
import http_run
import peers
import ws_cases
import ws_run

WEB = "web"
WS = "8.23.0"
LIMIT_S = 2  # a peer that waits where Mazu refuses
DIE_WITH_PARENT = ["setpriv", "--pdeathsig", "KILL"]

# Files and their packed neighbours as Mazu has them; what is not for files goes to a second server that reads the
# content to its end and refuses it, for nginx answers before it reads. The same limits. A name that is not ours: 403.
NGINX = """
daemon off; worker_processes 1; pid {dir}/pid; error_log {dir}/error.log crit; {user}
events {{ worker_connections 256; }}
http {{
	access_log off; server_tokens off; merge_slashes on; gzip_vary on; default_type application/octet-stream;
	types {{ text/html html; image/svg+xml svg; text/css css; text/javascript js; application/json json; }}
	charset utf-8;
	client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u;
	scgi_temp_path {dir}/s;
	large_client_header_buffers 4 8k; client_max_body_size 64k; keepalive_requests 1000; max_ranges 1;
	server {{ listen 127.0.0.1:{port} default_server; server_name _; return 403; }}
	server {{
		listen 127.0.0.1:{port}; server_name localhost 127.0.0.1 "[::1]" mazu.local "";
		gzip_static on; root {dir}/web;
		location / {{
			if ($request_method !~ ^(GET|HEAD)$) {{ proxy_pass http://127.0.0.1:{behind}; }}
			index index.html;
		}}
		location = /api/arp {{ default_type application/json; return 200 '{{"entries":[]}}'; }}
	}}
	server {{
		listen 127.0.0.1:{behind}; add_header Allow "GET, HEAD, OPTIONS" always;
		if ($request_method = OPTIONS) {{ return 204; }}
		if ($request_method !~ ^(PUT|POST|PATCH|DELETE)$) {{ return 501; }}
		return 405;
	}}
}}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def files_of(folder):
    os.mkdir(f"{folder}/web")
    for name in filter(lambda name: os.path.isfile(f"{WEB}/{name}"), os.listdir(WEB)):
        with open(f"{WEB}/{name}", "rb") as f:
            data = f.read()
        for path, content in ((name, data), (f"{name}.gz", gzip.compress(data, mtime=0))):
            with open(f"{folder}/web/{path}", "wb") as f:
                f.write(content)
            os.utime(f"{folder}/web/{path}", (10**9, 10**9))


@contextlib.contextmanager
def started(command, port):
    """The peer, which ends with the block, or with us."""
    process = subprocess.Popen(DIE_WITH_PARENT + command)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
            time.sleep(0.05)
        yield ("127.0.0.1", port)
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def nginx():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        files_of(folder)
        port, behind = free_port(), free_port()
        with open(f"{folder}/conf", "w", encoding="ascii") as f:
            f.write(NGINX.format(dir=folder, port=port, behind=behind, user="user root;" if os.getuid() == 0 else ""))
        with started(["nginx", "-p", folder, "-c", f"{folder}/conf", "-e", f"{folder}/error.log"], port) as address:
            yield address


@contextlib.contextmanager
def node():
    """ws as npm gives it, in a folder that goes again."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, f"ws@{WS}"], check=True)
        port, peer = free_port(), os.path.join(os.path.dirname(__file__), "ws_peer.js")
        with started(["env", f"NODE_PATH={folder}/node_modules", "node", peer, str(port)], port) as address:
            yield address


def report(peer, count, failed, notes, text):
    """Prints what the notes do not say, and notes that nothing needs; how many."""
    bad, used = 0, set()
    for name, why in failed.items():
        fit = {(what, start) for what, _, starts in notes for start in starts if name.startswith(start) and what in why}
        used |= fit
        if not fit:
            bad += 1
            print(f"{peer}: {name}: {why}")
    for what, _, starts in notes:
        for start in starts:
            if (what, start) not in used and not text:
                bad += 1
                print(f"{peer}: the note of {start!r} is not true")
    print(f"{peer}: {count} cases, {count - len(failed)} answered as they want, {len(failed)} otherwise, {bad} without a true note")
    return bad


def main(text=""):
    for cases in (http_cases.CASES, ws_cases.CASES, ws_cases.SHAKES):
        cases[:] = [c for c in cases if text in c.name]
    with open(f"{WEB}{http_cases.FILE}", "rb") as f:
        content = f.read()
    with nginx() as address:
        failed = http_run.Run(address, content, peer="nginx", limit=LIMIT_S).failed()
        bad = report("nginx", len([c for c in http_cases.CASES if not c.own]), failed, peers.NGINX, text)
    with node() as address:
        run = ws_run.Run(address, peer="ws", limit=LIMIT_S)
        frames, shakes = run.failed(), run.failed_shakes()
        bad += report("ws, frames", len(ws_cases.CASES), frames, peers.WS_FRAMES, text)
        bad += report("ws, handshakes", len(ws_cases.SHAKES), shakes, peers.WS_SHAKES, text)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
