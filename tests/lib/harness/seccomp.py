"""A process in which some system calls fail, as on an old kernel or in a tight container (seccomp-BPF, x86-64 and arm64).

`without("io_uring_setup")` and `without_reuseport()` give what Server(before_exec=…) runs in the child."""
import ctypes
import errno
import platform
import struct

from .suite import Skip

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 38, 22, 2
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06  # BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_RET|K
_NUMBERS = {"x86_64": {"io_uring_setup": 425, "setsockopt": 54}, "aarch64": {"io_uring_setup": 425, "setsockopt": 208}}
_SOL_SOCKET, _SO_REUSEPORT = 1, 15


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def _number(call):
    numbers = _NUMBERS.get(platform.machine())
    if numbers is None:
        raise Skip(f"no system call numbers for {platform.machine()}")
    return numbers[call]


def _install(instructions):
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
    buffer = ctypes.create_string_buffer(code)
    program = _Program(len(instructions), ctypes.addressof(buffer))
    libc = ctypes.CDLL("libc.so.6", use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(_PR_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0):
        raise OSError(ctypes.get_errno(), "seccomp")


def without(call, error=errno.EPERM):
    number = _number(call)
    return lambda: _install([(_LOAD, 0, 0, 0), (_EQUAL, 0, 1, number), (_RETURN, 0, 0, _FAIL | error), (_RETURN, 0, 0, _ALLOW)])


def without_reuseport(error=errno.ENOPROTOOPT):
    number = _number("setsockopt")
    # The low halves of the second and third argument, little-endian.
    return lambda: _install([(_LOAD, 0, 0, 0), (_EQUAL, 0, 5, number),
                             (_LOAD, 0, 0, 16 + 8), (_EQUAL, 0, 3, _SOL_SOCKET),
                             (_LOAD, 0, 0, 16 + 16), (_EQUAL, 0, 1, _SO_REUSEPORT),
                             (_RETURN, 0, 0, _FAIL | error), (_RETURN, 0, 0, _ALLOW)])
