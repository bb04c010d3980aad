"""The walls of the process: after `close_in` it computes, reads what it was given and writes its answer, and no more.

Memory, computing time and the size of the answer are limited by the kernel. Every system call that is not needed for
that fails: none opens a file, makes a socket, starts or signals a process. docs/import-profiles.md says what remains.
"""

import ctypes
import platform
import resource
import struct
from typing import Final

MOST_MEMORY: Final = 512 * 1024 * 1024
MOST_SECONDS: Final = 20
MOST_ANSWER: Final = 96 * 1024 * 1024
STANDARD_FILES: Final = 3  # what was given, the answer, and a place for complaints that leads nowhere

PR_SET_DUMPABLE: Final = 4
PR_SET_SECCOMP: Final = 22
PR_SET_NO_NEW_PRIVS: Final = 38
SECCOMP_MODE_FILTER: Final = 2

# Linux's numbers for: read write close fstat lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask rt_sigreturn
# mremap madvise getpid exit gettimeofday getrusage sigaltstack futex clock_gettime exit_group getrandom.
X86_64: Final = (0, 1, 3, 5, 8, 9, 10, 11, 12, 13, 14, 15, 25, 28, 39, 60, 96, 98, 131, 202, 228, 231, 318)
GENERIC: Final = (
    63,
    64,
    57,
    80,
    62,
    222,
    226,
    215,
    214,
    134,
    135,
    139,
    216,
    233,
    172,
    93,
    169,
    165,
    132,
    98,
    113,
    94,
    278,
)
# By machine: the kernel's mark of its calling convention, and the calls that go through.
MACHINES: Final = {"x86_64": (0xC000003E, X86_64), "aarch64": (0xC00000B7, GENERIC)}

LOAD: Final = 0x20
JUMP_IF_EQUAL: Final = 0x15
JUMP_IF_AT_LEAST: Final = 0x35
RETURN: Final = 0x06
NUMBER, CONVENTION = 0, 4  # where both stand in what a filter is shown
ALLOW: Final = 0x7FFF0000
DENY: Final = 0x00050000 | 1  # the call fails with EPERM
KILL: Final = 0x80000000
X32: Final = 0x40000000  # the other numbering of the same convention


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def close_in() -> None:
    """Raises OSError where the kernel refuses: then nothing is read. What is needed must be imported by now."""
    limits = {
        resource.RLIMIT_AS: MOST_MEMORY,
        resource.RLIMIT_CPU: MOST_SECONDS,
        resource.RLIMIT_FSIZE: MOST_ANSWER,
        resource.RLIMIT_NOFILE: STANDARD_FILES,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in limits.items():
        resource.setrlimit(kind, (most, most))
    machine = MACHINES.get(platform.machine())
    if machine is not None:
        _deny_all_but(*machine)


def _deny_all_but(convention: int, allowed: tuple[int, ...]) -> None:
    instructions = [
        (LOAD, 0, 0, CONVENTION),
        (JUMP_IF_EQUAL, 1, 0, convention),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
        (JUMP_IF_AT_LEAST, 0, 1, X32),
        (RETURN, 0, 0, KILL),
    ]
    for number in allowed:
        instructions += [(JUMP_IF_EQUAL, 0, 1, number), (RETURN, 0, 0, ALLOW)]
    instructions.append((RETURN, 0, 0, DENY))
    packed = b"".join(struct.pack("HBBI", *instruction) for instruction in instructions)
    program = _Program(len(instructions), packed)
    library = ctypes.CDLL(None, use_errno=True)
    for option, value, more in (
        (PR_SET_DUMPABLE, 0, None),
        (PR_SET_NO_NEW_PRIVS, 1, None),
        (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program)),
    ):
        if library.prctl(option, ctypes.c_ulong(value), more, ctypes.c_ulong(0), ctypes.c_ulong(0)) != 0:
            raise OSError(ctypes.get_errno(), "the kernel gives no walls")
