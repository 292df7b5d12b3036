"""Files that hold tokens: read with suspicion, replaced in one step."""

import errno
import os
import secrets
import stat
import time

from . import persistence_pb2 as pb
from .failure import Failure

AHEAD = 100_000_000  # nanoseconds: MSAL Extensions for Python looks for a later time
STEP = 1_000_000


def read(path):
    """The file's bytes and its status; (b"", None) where nothing is stored."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return b"", None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK):
            raise denied("the file is a symbolic link") from None
        raise
    with open(fd, "rb") as file:
        status = os.fstat(fd)
        suspect(status)
        return file.read(), status


def suspect(status):
    """Refuses a file that somebody else could have put there or can change."""
    if not stat.S_ISREG(status.st_mode):
        raise denied("it isn't a regular file")
    if status.st_nlink > 1:
        raise denied("the file has a second name")
    if status.st_uid != os.geteuid():
        raise denied("the file belongs to another user")
    if status.st_mode & 0o022:
        raise denied("other users can write the file")


def denied(message):
    return Failure(pb.ERROR_KIND_DENIED, message, "look who made the file, and remove it")


def publish(path, data):
    """Replaces a file: whoever reads sees the old content or the new one."""
    directory = os.path.dirname(path)
    _, before = read(path)
    temporary = path + b".msalext-tmp-" + secrets.token_hex(8).encode()
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with open(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(fd)
        os.replace(temporary, path)
    except BaseException:
        forget(temporary)
        raise
    sync(directory)
    now = time.time_ns() + AHEAD
    if before is not None:
        now = max(now, before.st_mtime_ns + STEP)
    os.utime(path, ns=(now, now))


def forget(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def remove(path):
    forget(path)
    sync(os.path.dirname(path))


def sync(directory):
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
