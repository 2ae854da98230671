"""Files of a box, handled as the code's own user in a process of its own, relative to a directory, without following a link anywhere on the way."""

import base64, json, os, stat

FOLLOW_NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC
# What code may write to: the working directory, shared memory, message queues.
WRITABLE = ("/tmp", "/dev/shm", "/dev/mqueue")
# A tree is wiped in one go per entry of the top directory; more rounds than entries can exist means that something resists.
ROUNDS = 200_000


def perform(top, request):
    request = json.loads(request)
    if request["act"] == "put":
        return put_all(top, request["files"])
    if request["act"] == "get":
        return {"files": get_all(top, request["paths"], request["byteLimit"])}
    return {"filesLeft": sum(wipe(directory) for directory in WRITABLE)}


def put_all(top, files):
    for file in files:
        try:
            put(top, file["path"], base64.b64decode(file["content"]))
        except OSError as error:
            return {"error": f"{file['path']}: {error.strerror}"}
    return {}


def put(top, path, content):
    directory, name = _parent(top, path, make=True)
    try:
        fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK | FOLLOW_NO_LINK, 0o644, dir_fd=directory)
    finally:
        os.close(directory)
    with open(fd, "wb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(22, "not a regular file")
        file.write(content)


def get_all(top, paths, byte_limit):
    """Those that are regular files, as far as the limit on all of them together goes."""
    found = []
    for path in paths:
        try:
            content = get(top, path, byte_limit)
        except OSError:
            continue
        byte_limit -= len(content)
        found.append({"path": path, "content": base64.b64encode(content).decode()})
    return found


def get(top, path, byte_limit):
    directory, name = _parent(top, path, make=False)
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NONBLOCK | FOLLOW_NO_LINK, dir_fd=directory)
    finally:
        os.close(directory)
    with open(fd, "rb") as file:
        information = os.fstat(fd)
        if not stat.S_ISREG(information.st_mode) or information.st_size > byte_limit:
            raise OSError(27, "not a regular file, or too large")
        return file.read(byte_limit)


def _parent(top, path, make):
    """A descriptor of the directory that holds `path`, and the last component."""
    *directories, name = path.split("/")
    current = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for component in directories:
        try:
            if make:
                try:
                    os.mkdir(component, 0o755, dir_fd=current)
                except FileExistsError:
                    pass
            below = os.open(component, os.O_RDONLY | os.O_DIRECTORY | FOLLOW_NO_LINK, dir_fd=current)
        finally:
            os.close(current)
        current = below
    return current, name


def wipe(top):
    """Removes everything below `top`, however deep: a directory's entries are moved up to `top` first, so that no path grows and nothing recurses. Answers what is left."""
    try:
        directory = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    moved = 0
    try:
        for _ in range(ROUNDS):
            names = os.listdir(directory)
            before = moved, len(names)
            for name in names:
                moved = _remove(name, directory, moved)
            if not names or (moved, len(os.listdir(directory))) == before:
                break
        return len(os.listdir(directory))
    finally:
        os.close(directory)


def _remove(name, directory, moved):
    try:
        os.unlink(name, dir_fd=directory)
        return moved
    except OSError:
        pass
    try:
        below = _open_for_removal(name, directory)
    except OSError:
        return moved
    try:
        for inner in os.listdir(below):
            try:
                os.unlink(inner, dir_fd=below)
            except OSError:
                moved += 1
                _open_for_removal_and_close(inner, below)
                os.rename(inner, f".wiped-{os.getpid()}-{moved}", src_dir_fd=below, dst_dir_fd=directory)
        os.rmdir(name, dir_fd=directory)
    except OSError:
        pass
    finally:
        os.close(below)
    return moved


def _open_for_removal(name, directory):
    """Whatever its mode was. @raises OSError when it is no directory."""
    # A path through the descriptor, because chmod relative to one follows links.
    if stat.S_ISDIR(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode):
        os.chmod(f"/proc/self/fd/{directory}/{name}", 0o700)
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | FOLLOW_NO_LINK, dir_fd=directory)


def _open_for_removal_and_close(name, directory):
    try:
        os.close(_open_for_removal(name, directory))
    except OSError:
        pass
