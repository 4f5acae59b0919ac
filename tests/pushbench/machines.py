"""Machines made of files: what /proc and /sys would hold, below a directory of a test."""

from collections.abc import Mapping
from pathlib import Path

from pushbench.machine import CLOCKS, CPU

SERVER: dict[str, str] = {
    "proc/cpuinfo": """\
processor\t: 0
model name\t: Abacus 9000
flags\t\t: fpu tsc

processor\t: 1
model name\t: other
""",
    "proc/stat": """\
cpu  6 0 0 6 0 0 0 0 0 0
cpu0 10 1 5 80 2 1 1 0 0 0
cpu1 20 0 0 75 0 0 0 5 7 0
intr 5 0
""",
    "proc/pressure/cpu": """\
some avg10=0.50 avg60=0.45 avg300=0.39 total=1000
full avg10=0.00 avg60=0.00 avg300=0.00 total=0
""",
    "proc/meminfo": """\
MemTotal:       8388608 kB
MemAvailable:   6291456 kB
SwapTotal:      2097152 kB
SwapFree:       1048576 kB
HugePages_Total:       0
""",
    "proc/net/sockstat": "sockets: used 13\nTCP: inuse 5 orphan 0 tw 7 alloc 9 mem 170\nUDP: inuse 3 mem 0\n",
    "proc/net/sockstat6": "TCP6: inuse 2\nUDP6: inuse 1\n",
    "proc/cmdline": "root=/dev/sda1 quiet mitigations=auto,nosmt\n",
    "proc/self/cgroup": "0::/shop/till.service\n",
    "proc/sys/net/ipv4/ip_local_port_range": "32768\t60999\n",
    "proc/sys/net/ipv4/ip_local_reserved_ports": "80,40000-40009\n",
    "proc/sys/net/ipv4/tcp_congestion_control": "cubic\n",
    "proc/sys/net/ipv4/tcp_rmem": "4096\t131072\t6291456\n",
    "proc/sys/net/core/somaxconn": "4096\n",
    "sys/class/net/lo/mtu": "65536\n",
    "sys/class/dmi/id/sys_vendor": "Counting House\n",
    "sys/class/dmi/id/product_name": "Frame 9\n",
    "sys/fs/cgroup/shop/cpu.max": "250000 100000\n",
    "sys/fs/cgroup/shop/till.service/cpu.max": "max 100000\n",
    "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
    f"{CLOCKS}/current_clocksource": "tsc\n",
    f"{CLOCKS}/available_clocksource": "tsc hpet acpi_pm\n",
    f"{CPU}/online": "0-3\n",
    f"{CPU}/intel_pstate/no_turbo": "0\n",
    f"{CPU}/vulnerabilities/l1tf": "Not affected\n",
    f"{CPU}/vulnerabilities/mds": "Mitigation: Clear CPU buffers\n",
    f"{CPU}/vulnerabilities/srbds": "Vulnerable: No microcode\n",
    **{
        f"{CPU}/cpu{core}/{name}": value
        for core in range(4)
        for name, value in {
            "topology/thread_siblings_list": f"{core % 2},{core % 2 + 2}\n",
            "cpufreq/scaling_driver": "intel_pstate\n",
            "cpufreq/scaling_governor": "powersave\n" if core else "performance\n",
            "cpufreq/scaling_min_freq": "800000\n",
            "cpufreq/scaling_max_freq": f"{3400000 + 100000 * core}\n",
            "cpufreq/scaling_cur_freq": "1200000\n",
        }.items()
    },
}
"""Two cores with two hyperthreads each, on bare metal."""


def build(root: Path, files: Mapping[str, str]) -> Path:
    """Write the files, and return where."""
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)
    return root
