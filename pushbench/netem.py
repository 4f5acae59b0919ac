"""netem, the kernel's own emulation of networks: whether it could be used here.

It is tried on the loopback of a network namespace that exists for as long as the try: this machine's own is not touched.
It could do what a line of packets cannot (reordering, a bandwidth with a queue); a run does not set it up yet.
"""

import subprocess

TRY = ("unshare", "--net", "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms")
TRY_TIMEOUT_S = 5.0


def unusable() -> str:
    """Why netem cannot be used by this process, in a few words; empty if it can."""
    try:
        tried = subprocess.run(TRY, capture_output=True, text=True, errors="replace", timeout=TRY_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{TRY[0]} cannot be run: {error}"
    if tried.returncode == 0:
        return ""
    said = " ".join(tried.stderr.split())
    if "qdisc kind is unknown" in said or ("No such file or directory" in said and "RTNETLINK" in said):
        return "this kernel has no netem (CONFIG_NET_SCH_NETEM)"
    if "not permitted" in said:
        return "it takes root"
    return said or f"tc ended with exit code {tried.returncode}"


def refusal() -> str:
    """Why a run is not made with netem, in one line, and what there is instead."""
    why = unusable() or "a run does not set it up yet, although it could be used here"
    instead = 'set rtt_ms, jitter_ms or bandwidth_kbit_s, which a relay shapes, or line = "packets" with loss_percent'
    return f"--netem: {why}; {instead}"
