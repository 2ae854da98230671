"""Makes the supervisor's modules, which come as texts in SOURCES, importable, and starts it."""

import ctypes, importlib.machinery, os, sys

ADDR_NO_RANDOMIZE, CURRENT_PERSONALITY = 0x0040000, 0xFFFFFFFF


def fix_addresses():
    """Addresses show in what objects print; without randomisation they are the same in every box. Where the daemon's profile forbids that (-1), boxes differ in them."""
    personality = ctypes.CDLL(None).personality
    personality.argtypes = [ctypes.c_ulong]
    now = personality(CURRENT_PERSONALITY)
    if now >= 0 and not now & ADDR_NO_RANDOMIZE and personality(now | ADDR_NO_RANDOMIZE) >= 0:
        os.execv(sys.executable, sys.orig_argv)


class Sources:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, Sources) if name in SOURCES else None

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        exec(compile(SOURCES[module.__name__], f"<supervisor {module.__name__}>", "exec"), module.__dict__)


# Before anything else, because it begins anew.
if os.getpid() == 1:
    fix_addresses()
# A program's directory is not this one.
sys.path[:] = [directory for directory in sys.path if directory]
sys.meta_path.insert(0, Sources)
import main

sys.meta_path.remove(Sources)
main.main(list(SOURCES))
