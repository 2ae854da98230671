"""
An image without a registry: this machine's Python, its standard library, and the shared libraries that they need, as a tar archive for `docker import`.

    python3 host_image.py --digest [PACKAGE …]     the hash of what the archive would hold, for the image's tag
    python3 host_image.py --archive [PACKAGE …]    the archive, on standard output

There is no shell in it, and no setuid file. PACKAGEs (numpy, sympy) are taken along as they are installed here. Run by the Python that is to be in the image.
"""

import hashlib, importlib.machinery, importlib.util, io, os, re, subprocess, sys, sysconfig, tarfile

LEFT_OUT = {"site-packages", "dist-packages", "test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3", "venv", "pydoc_data"}
# Loaded by name at run time, so that no listing of needed libraries shows them.
LOADED_BY_NAME = ("libgcc_s.so.1",)
LOCALES = ("/usr/lib/locale/C.utf8", "/usr/lib/locale/C.UTF-8")
PASSWD = "root:x:0:0:root:/:/none\nsandbox:x:10001:10001::/tmp:/none\n"
GROUP = "root:x:0:\nsandbox:x:10001:\n"
# What a box is made of must be importable: a Python without one of these is of no use.
NEEDED = ("ctypes", "hashlib", "json", "resource", "select", "socket", "decimal")


def main():
    _, act, *packages = sys.argv
    for name in (*NEEDED, *packages):
        if importlib.util.find_spec(name) is None:
            sys.exit(f"{sys.executable} has no module {name}")
    if sys.version_info < (3, 9):
        sys.exit(f"{sys.executable} is Python {sys.version.split()[0]}, expected 3.9 or later")
    entries = files_of(packages)
    if act == "--digest":
        print(digest(entries))
    else:
        archive(entries, sys.stdout.buffer)


def files_of(packages):
    """Path in the image → path here. The interpreter stays where it is installed, because it finds its library from there."""
    executable = os.path.realpath(sys.executable)
    found = {executable: executable}
    library = sysconfig.get_path("stdlib")
    dynamic = sysconfig.get_config_var("DESTSHARED") or library
    for top in dict.fromkeys((library, sysconfig.get_path("platstdlib"), dynamic, *map(_package_place, packages), *filter(os.path.isdir, LOCALES))):
        found.update(_tree(top, is_library=top == library))
    found.update((path, path) for path in _shared_libraries(found.values()))
    return dict(sorted(found.items()))


def _package_place(name):
    spec = importlib.util.find_spec(name)
    return spec.submodule_search_locations[0] if spec.submodule_search_locations else spec.origin


def _tree(top, is_library):
    if os.path.isfile(top):
        return {top: top}
    found = {}
    for directory, directories, names in os.walk(top):
        directories[:] = [name for name in directories if not (is_library and (name in LEFT_OUT or name.startswith("config-")))]
        for name in names:
            path = os.path.join(directory, name)
            if not name.endswith(".a") and os.path.isfile(path):
                found[path] = path
    beside = f"{top}.libs"  # where wheels keep their shared libraries
    if not is_library and os.path.isdir(beside):
        found.update(_tree(beside, is_library=False))
    return found


def _shared_libraries(paths):
    programs = [path for path in paths if re.search(r"\.so(\.|$)", os.path.basename(path)) or path == os.path.realpath(sys.executable)]
    # In portions: a command line has an end.
    listing = "".join(
        subprocess.run(["ldd", *programs[start : start + 200]], capture_output=True, text=True).stdout for start in range(0, len(programs), 200)
    )
    found = {path for path in re.findall(r"(/[^\s:()]+)", listing) if os.path.isfile(path) and path not in programs}
    folders = {os.path.dirname(path) for path in found}
    found.update(path for folder in folders for path in (os.path.join(folder, name) for name in LOADED_BY_NAME) if os.path.isfile(path))
    return found


def digest(entries):
    whole = hashlib.sha256()
    with open(__file__, "rb") as file:
        whole.update(file.read())
    for path, source in entries.items():
        with open(source, "rb") as file:
            whole.update(f"{path}\0{hashlib.sha256(file.read()).hexdigest()}\n".encode())
    return whole.hexdigest()


def archive(entries, output):
    with tarfile.open(fileobj=output, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for directory in ("proc", "sys", "dev", "tmp", "etc"):
            # The runtime gives what it mounts over a directory the directory's mode.
            _add(tar, directory, None, mode=0o1777 if directory == "tmp" else 0o755)
        for path, text in (("etc/passwd", PASSWD), ("etc/group", GROUP)):
            _add(tar, path, text.encode())
        for path, source in entries.items():
            with open(source, "rb") as file:
                _add(tar, path.lstrip("/"), file.read(), executable=os.access(source, os.X_OK), modified=int(os.stat(source).st_mtime))
        executable = os.path.realpath(sys.executable)
        for name in {"/usr/bin/python3", "/usr/local/bin/python3"} - {executable}:
            link = tarfile.TarInfo(name.lstrip("/"))
            link.type, link.linkname = tarfile.SYMTYPE, executable
            tar.addfile(link)
        for path in entries:
            _add_compiled(tar, entries, path)


def _add(tar, path, content, executable=False, modified=0, mode=0o755):
    """A directory where there is no content. Nothing in the image can be written to, nor changes who runs it."""
    entry = tarfile.TarInfo(path)
    entry.mtime = modified
    if content is None:
        entry.type, entry.mode = tarfile.DIRTYPE, mode
        tar.addfile(entry)
        return
    entry.mode, entry.size = 0o555 if executable else 0o444, len(content)
    tar.addfile(entry, io.BytesIO(content))


def _add_compiled(tar, entries, path):
    """A box cannot write: what is not compiled here would be compiled at every start."""
    compiled = importlib.util.cache_from_source(path) if path.endswith(".py") else None
    if compiled is None or compiled in entries:
        return
    with open(path, "rb") as file:
        source = file.read()
    try:
        code = compile(source, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return
    content = importlib._bootstrap_external._code_to_hash_pyc(code, importlib.util.source_hash(source), False)
    _add(tar, compiled.lstrip("/"), bytes(content))


main()
