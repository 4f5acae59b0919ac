"""`python -m benchmarks.nchan`: nchan, as a target: nginx with one worker process, and every transport in C.

Prints the ready line of a target, and ends nginx when it is told to end.
"""

import json
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

MODULES = ("/usr/lib/nginx/modules/ngx_nchan_module.so", "/usr/lib64/nginx/modules/ngx_nchan_module.so")
READY_S = 10.0
CONFIGURATION = """
daemon off;
load_module {module};
worker_processes 1;
pid {directory}/pid;
error_log stderr crit;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    client_body_temp_path {directory}/1; proxy_temp_path {directory}/2; fastcgi_temp_path {directory}/3;
    uwsgi_temp_path {directory}/4; scgi_temp_path {directory}/5;
    tcp_nodelay on;
    nchan_message_buffer_length 10000;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = /publish {{ nchan_publisher websocket http; nchan_channel_id feed; }}
        location = /websocket {{ nchan_subscriber websocket; nchan_channel_id feed; }}
        location = /stream {{ nchan_subscriber http-raw-stream; nchan_channel_id feed; }}
    }}
}}
"""


def missing() -> str:
    """What is not installed, and how to change that; empty if nothing is missing."""
    if shutil.which("nginx") and any(Path(module).exists() for module in MODULES):
        return ""
    return "nchan is not installed: apt-get install nginx-light libnginx-mod-nchan"


def main() -> None:
    """Start nginx, say when it is ready, and wait."""
    if says := missing():
        raise SystemExit(f"benchmarks.nchan: {says}")
    with tempfile.TemporaryDirectory(prefix="pushbench-") as directory:
        Path(directory).chmod(0o755)  # its worker may be another user
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        module = next(module for module in MODULES if Path(module).exists())
        configuration = Path(directory) / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(module=module, directory=directory, port=port))
        nginx = subprocess.Popen(["nginx", "-p", directory, "-c", str(configuration)])
        signal.signal(signal.SIGTERM, lambda *_: nginx.terminate())
        until = time.monotonic() + READY_S
        while not (worker := _worker(nginx.pid)) or not _listens(port):
            if nginx.poll() is not None or time.monotonic() > until:
                raise SystemExit("benchmarks.nchan: nginx did not come up; its last words are above")
            time.sleep(0.02)
        print(json.dumps({"ready": True, "port": port, "pid": worker}), flush=True)
        nginx.wait()


def _worker(pid: int) -> int:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0]) if children else 0


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
