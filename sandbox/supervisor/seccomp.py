"""A filter on the code's system calls, on top of the daemon's and independent of its version: what no program needs and kernels have been broken through."""

import ctypes, os, struct
from kernel import PR_SET_SECCOMP, prctl

# Name: its number on x86-64 and on arm64 (None where it does not exist).
DENIED = {
    # Another kernel interface altogether, which filters on system calls do not see into.
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    # Other processes.
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "pidfd_getfd": (438, 438), "kcmp": (312, 272),
    "process_madvise": (440, 440), "process_mrelease": (448, 448),
    # What lives on after the process.
    "shmget": (29, 194), "shmctl": (31, 195), "shmat": (30, 196), "shmdt": (67, 197), "semget": (64, 190), "semctl": (66, 191), "semtimedop": (220, 192),
    "semop": (65, 193), "msgget": (68, 186), "msgctl": (71, 187), "msgrcv": (70, 188), "msgsnd": (69, 189), "mq_open": (240, 180), "mq_unlink": (241, 181),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    # What the kernel counts for a user on the whole machine, all boxes together: descriptors on their way in messages, and watches.
    "sendmsg": (46, 211), "sendmmsg": (307, 269), "inotify_init": (253, None), "inotify_init1": (294, 26),
    # The kernel's machinery.
    "bpf": (321, 280), "userfaultfd": (323, 282), "perf_event_open": (298, 241), "memfd_secret": (447, 447), "modify_ldt": (154, None), "personality": (135, 92),
    "mbind": (237, 235), "set_mempolicy": (238, 237), "migrate_pages": (256, 238), "move_pages": (279, 239), "syslog": (103, 116), "lookup_dcookie": (212, 18),
    "fanotify_init": (300, 262), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "vhangup": (153, 58),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7),
    # Namespaces and mounts.
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "open_tree": (428, 428),
    "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    # The machine.
    "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225), "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "acct": (163, 89), "quotactl": (179, 60), "quotactl_fd": (443, 443), "sethostname": (170, 161),
    "setdomainname": (171, 162), "settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266), "adjtimex": (159, 171),
    "iopl": (172, None), "ioperm": (173, None),
}  # fmt: skip
# Allowed for the calling process alone, which the arguments of these indices say with these values: others of the same user may be the box's own, from which later programs
# descend. The first of two says that the second is a process (PRIO_PROCESS, IOPRIO_WHO_PROCESS), where 0 would else be the caller's group or user.
OWN_PROCESS_ONLY = {
    "prlimit64": (302, 261, {0: 0}), "sched_setparam": (142, 118, {0: 0}), "sched_setscheduler": (144, 119, {0: 0}), "sched_setaffinity": (203, 122, {0: 0}),
    "sched_setattr": (314, 274, {0: 0}), "setpriority": (141, 140, {0: 0, 1: 0}), "ioprio_set": (251, 30, {0: 1, 1: 0}),
}  # fmt: skip
# Architecture: its audit number, and the numbers of socket, clone and clone3.
ARCHITECTURES = {"x86_64": (0xC000003E, 41, 56, 435), "aarch64": (0xC00000B7, 198, 220, 435)}
# cachestat, fchmodat2: what is newer than these did not exist when this list was made.
NEWEST_KNOWN = 452
# AF_UNIX, AF_INET, AF_INET6: the last two lead nowhere. AF_VSOCK, for one, is not bound by a network namespace.
SOCKET_FAMILIES = (1, 2, 10)
NEW_NAMESPACES = 0x7E020000

LOAD, JUMP_EQUAL, JUMP_GREATER_OR_EQUAL, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
ALLOW, PERMISSION_DENIED, NOT_IMPLEMENTED = 0x7FFF0000, 0x00050001, 0x00050026
X32_CALLS = 0x40000000


def program(machine):
    """The filter as (code, jump if true, jump if false, operand). Every test that fails falls through to the next."""
    column = list(ARCHITECTURES).index(machine)
    architecture, socket, clone, clone3 = ARCHITECTURES[machine]
    lines = [(LOAD, 0, 0, ARCHITECTURE), (JUMP_EQUAL, 1, 0, architecture), (RETURN, 0, 0, PERMISSION_DENIED), (LOAD, 0, 0, NUMBER)]

    def answer(test, operand, result):
        lines.extend([(test, 0, 1, operand), (RETURN, 0, 0, result)])

    answer(JUMP_GREATER_OR_EQUAL, X32_CALLS, PERMISSION_DENIED)
    answer(JUMP_GREATER_OR_EQUAL, NEWEST_KNOWN + 1, NOT_IMPLEMENTED)
    # Its flags are behind a pointer; the C library then uses clone.
    answer(JUMP_EQUAL, clone3, NOT_IMPLEMENTED)
    for numbers in DENIED.values():
        if numbers[column] is not None:
            answer(JUMP_EQUAL, numbers[column], PERMISSION_DENIED)
    for *numbers, wanted in OWN_PROCESS_ONLY.values():
        # The call's number is no longer at hand after its argument was loaded, so that each ends here.
        left = 2 * len(wanted) + 2
        lines.append((JUMP_EQUAL, 0, left, numbers[column]))
        for index, value in wanted.items():
            left -= 2
            lines.extend([(LOAD, 0, 0, FIRST_ARGUMENT + 8 * index), (JUMP_EQUAL, 0, left - 1, value)])
        lines.extend([(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, PERMISSION_DENIED)])
    lines.extend([(JUMP_EQUAL, 0, 4, clone), (LOAD, 0, 0, FIRST_ARGUMENT), (JUMP_ANY_BIT, 0, 1, NEW_NAMESPACES)])
    lines.extend([(RETURN, 0, 0, PERMISSION_DENIED), (RETURN, 0, 0, ALLOW)])
    lines.extend([(JUMP_EQUAL, 1, 0, socket), (RETURN, 0, 0, ALLOW), (LOAD, 0, 0, FIRST_ARGUMENT)])
    for family in SOCKET_FAMILIES:
        answer(JUMP_EQUAL, family, ALLOW)
    lines.append((RETURN, 0, 0, PERMISSION_DENIED))
    return lines


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def compiled():
    """What install() takes; made once, before the first fork."""
    lines = program(os.uname().machine)
    raw = b"".join(struct.pack("HBBI", *line) for line in lines)
    buffer = ctypes.create_string_buffer(raw, len(raw))
    return _Program(len(lines), ctypes.addressof(buffer)), buffer


def install(filter):
    """For the calling process and all that descend from it, for ever. @raises OSError"""
    prctl(PR_SET_SECCOMP, 2, ctypes.byref(filter[0]))
