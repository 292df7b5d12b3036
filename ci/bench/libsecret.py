"""Loads and saves an item of the Secret Service with the LibsecretPersistence
of msal-extensions: libsecret.py LOCATION SIZE. Each line on standard input is
"load NUMBER" or "save NUMBER"; it prints the nanoseconds that these took."""

import sys
import time

from msal_extensions import LibsecretPersistence

location, size = sys.argv[1], int(sys.argv[2])
store = LibsecretPersistence(location)
made = 0


def content():
    """What is saved, different each time and always as long."""
    return '{"AccessToken":{"%08d":"%s"}}' % (made, "m" * (size - 30))


store.save(content())
print("ready", flush=True)
for line in sys.stdin:
    verb, number = line.split()
    began = time.perf_counter_ns()
    for _ in range(int(number)):
        if verb == "save":
            made += 1
            store.save(content())
        elif store.load() != content():
            sys.exit("what was saved doesn't come back")
    print(time.perf_counter_ns() - began, flush=True)
