"""What a client is told because of its cell: headers, how it polls, whether it compresses. Pure."""

from typing import Any

from pushbench.scenario import Load
from pushbench.transports import ROWS

BROWSER_HEADERS: dict[str, str] = {
    "sec-ch-ua-platform": '"Linux"',
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Safari/537.36",
    "sec-ch-ua": '"Chromium";v="149", "Not)A;Brand";v="24", "Google Chrome";v="149"',
    "sec-ch-ua-mobile": "?0",
    "Accept": "*/*",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Dest": "empty",
    "Referer": "http://push.example/dashboard/overview",
    "Accept-Language": "en-GB,en;q=0.9,de;q=0.8",
    "Cookie": "session=4f1c0d7e9a2b48f6b3d5c8e1a7f09b62; theme=dark; csrftoken=Zx8Kq2Lw9Vb3Nm5Tr7Yp1Hs4Jd6Fg0Qe; "
    "_id=GA1.1.1862034975.1790000000; consent=necessary.analytics",
}
"""What a browser of today adds to a request that a script makes, with the cookies of an application that one is logged in
to. It asks for no compression here, so that every transport sends the same. Some 650 bytes."""


def client_options(load: Load) -> dict[str, Any]:
    """Options of a client's class, beside those in which one subscriber differs from another."""
    row = ROWS[load.transport]
    options: dict[str, Any] = {}
    if load.headers == "browser":
        options["headers"] = BROWSER_HEADERS
    if row.polls:
        options["interval_s"] = load.poll_interval_ms / 1000
        options["keep_connection"] = load.poll_connection == "kept"
        options["validators"] = load.poll_empty == "304"
    if not row.pushes:
        options["keep_connection"] = load.post_connection == "kept"
    if load.compression == "permessage-deflate":
        options["deflate"] = True
    elif load.compression != "none":
        options["headers"] = {**options.get("headers", {}), "Accept-Encoding": load.compression}
    return options
