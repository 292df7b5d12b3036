"""One location: items by key, each with its version."""

import hashlib
import os

from . import files, names
from . import persistence_pb2 as pb
from .failure import Failure


class Store:
    """The caller sees to it that no two calls that write overlap."""

    def __init__(self, path):
        if not os.path.isabs(path):
            raise Failure(pb.ERROR_KIND_INVALID, "the path is relative", "make it absolute")
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        self.path = path

    def info(self):
        return pb.Info(
            against="other users, by file mode 0600",
            location=os.fsencode(self.path).decode("utf-8", "replace"),
            stamp=pb.STAMP_DATA,
            capabilities=pb.CAPABILITY_LIST,
        )

    def load(self, key):
        data, _ = files.read(names.path_for(self.path, key))
        return data, version(data)

    def save(self, key, data, base):
        if not data:
            raise Failure(pb.ERROR_KIND_INVALID, "there is nothing to save")
        self.expect(key, base)
        path = names.path_for(self.path, key)
        if names.is_long(key):  # before the item, so that a list never lacks it
            files.publish(path + names.KEPT, key)
        files.publish(path, data)
        return version(data)

    def delete(self, key, base):
        self.expect(key, base)
        path = names.path_for(self.path, key)
        files.remove(path)
        if names.is_long(key):
            files.remove(path + names.KEPT)

    def expect(self, key, base):
        if self.load(key)[1] != base:
            raise Failure(pb.ERROR_KIND_CONFLICT)

    def keys(self, prefix):
        """Key and status of each item whose key begins with prefix."""
        directory, main = os.path.split(self.path)
        for name in os.listdir(directory):
            key = self.key_in(directory, main, name)
            if key is None or not key.startswith(prefix):
                continue
            try:
                status = os.lstat(os.path.join(directory, name))
            except FileNotFoundError:
                continue  # deleted meanwhile
            if status.st_size > 0:  # other libraries leave empty files
                yield key, status

    def key_in(self, directory, main, name):
        if name == main:
            return b""
        start = main + names.INFIX
        if not name.startswith(start):
            return None
        rest = name[len(start):]
        if not names.is_hash(rest):
            return names.key_of(rest)
        key, status = files.read(os.path.join(directory, name + names.KEPT))
        if names.hashed(key) == rest:
            return key
        if os.path.exists(os.path.join(directory, name)):
            raise Failure(pb.ERROR_KIND_CORRUPT, "the key of an item can't be told: its file ending in .name is missing or wrong")
        return None  # deleted meanwhile


def version(data):
    return hashlib.sha256(data).digest() if data else b""
