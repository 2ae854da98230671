"""Makes the supervisor's modules, which come as texts in SOURCES, importable, and starts it."""

import importlib.machinery, sys


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


# A program's directory is not this one.
sys.path[:] = [directory for directory in sys.path if directory]
sys.meta_path.insert(0, Sources)
import main

sys.meta_path.remove(Sources)
main.main(list(SOURCES))
