"""What is true of this box, as the kernel has it: the container may have been given less than was asked for."""

import os, sys
import counters
from kernel import ADDR_NO_RANDOMIZE, CURRENT_PERSONALITY, personality

CAPABILITIES = """CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK
IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL
SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE""".split()


def facts(code_uid, code_seccomp, preloaded):
    status = _status()
    bounding = int(status.get("CapBnd", "0"), 16)
    root, temporary = os.statvfs("/"), os.statvfs("/tmp")
    return {
        "pythonVersion": sys.version.split()[0],
        "machine": os.uname().machine,
        "uid": os.getuid(),
        "codeUid": code_uid,
        "capabilities": [name for number, name in enumerate(CAPABILITIES) if bounding >> number & 1],
        "noNewPrivileges": status.get("NoNewPrivs") == "1",
        "daemonSeccomp": status.get("Seccomp") == "2",
        "codeSeccomp": code_seccomp,
        "cgroupVersion": counters.version(),
        **counters.limits(),
        "readOnlyRoot": bool(root.f_flag & os.ST_RDONLY),
        "temporaryBytes": temporary.f_blocks * temporary.f_frsize,
        "temporaryFiles": temporary.f_files,
        "networkInterfaces": _network_interfaces(),
        "fixedAddresses": _has_fixed_addresses(),
        "preloaded": preloaded,
    }


def _status():
    with open("/proc/self/status") as file:
        return dict(line.rstrip().split(":\t", 1) for line in file if ":\t" in line)


def _network_interfaces():
    try:
        with open("/proc/net/dev") as file:
            return [line.split(":")[0].strip() for line in file if ":" in line]
    except OSError:
        return []


def _has_fixed_addresses():
    try:
        return bool(personality(CURRENT_PERSONALITY) & ADDR_NO_RANDOMIZE)
    except OSError:
        return False
