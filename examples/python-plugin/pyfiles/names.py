"""The path rule: where the file of a key lies."""

import hashlib
import re

LONGEST = 128
PLAIN = re.compile(rb"[^a-z0-9_-]")
ESCAPE = re.compile(rb"%([0-9a-f]{2})")
INFIX = b".key-"
KEPT = b".name"  # behind a hashed name: the file that holds the key


def hashed(key):
    return b"%h" + hashlib.sha256(key).hexdigest().encode()


def written(key):
    return PLAIN.sub(lambda m: b"%%%02x" % m[0][0], key)


def path_for(path, key):
    if not key:
        return path
    name = written(key)
    return path + INFIX + (name if len(name) <= LONGEST else hashed(key))


def is_long(key):
    return len(written(key)) > LONGEST


def key_of(name):
    """The key that a file's name tells, or None where the name isn't a key's.

    A hash tells nothing; is_hash recognises it.
    """
    key = ESCAPE.sub(lambda m: bytes([int(m[1], 16)]), name)
    return key if key and written(key) == name and len(name) <= LONGEST else None


def is_hash(name):
    return re.fullmatch(rb"%h[0-9a-f]{64}", name) is not None
