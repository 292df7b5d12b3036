"""Changes a token cache as often as a line on standard input says, with the
PersistedTokenCache of msal-extensions: gains.py LOCATION NUMBER CHANGES. Prints
the nanoseconds that each line took. It gives a lock up after 5 seconds; that
change isn't made then, and whoever counts the kept ones sees it."""

import sys
import time

from msal import TokenCache
from msal_extensions import FilePersistence, PersistedTokenCache
from msal_extensions.token_cache import LockError

location, number, changes = sys.argv[1:]
tokens = TokenCache.CredentialType.ACCESS_TOKEN
cache = PersistedTokenCache(FilePersistence(location))
# Entries that no other process changes: modify writes a whole one.
entries = list(cache.search(tokens))[int(number) :: 8]
made = 0

print("ready", flush=True)
for line in sys.stdin:
    began = time.perf_counter_ns()
    for _ in range(int(line)):
        i = made % len(entries)
        change = {f"p{number}_{made % int(changes)}": "x"}
        try:
            cache.modify(tokens, entries[i], change)
            entries[i] = {**entries[i], **change}
        except LockError:
            pass
        made += 1
    print(time.perf_counter_ns() - began, flush=True)
