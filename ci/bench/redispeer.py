"""Changes a token cache on a Redis server as often as a line on standard input
says, the way that programs with MSAL Python and redis-py usually do: load,
change, store: redispeer.py ADDRESS NUMBER CHANGES. Prints the nanoseconds that
each line took."""

import sys
import time

import msal
import redis

address, number, changes = sys.argv[1:]
host, port = address.split(":")
server = redis.Redis(host=host, port=int(port))
tokens = msal.TokenCache.CredentialType.ACCESS_TOKEN


def load():
    cache = msal.SerializableTokenCache()
    cache.deserialize(server.get("cache").decode())
    return cache


# Entries that no other process changes: modify writes a whole one.
entries = list(load().search(tokens))[int(number) :: 8]
made = 0

print("ready", flush=True)
for line in sys.stdin:
    began = time.perf_counter_ns()
    for _ in range(int(line)):
        i = made % len(entries)
        change = {f"p{number}_{made % int(changes)}": "x"}
        cache = load()
        cache.modify(tokens, entries[i], change)
        entries[i] = {**entries[i], **change}
        if cache.has_state_changed:
            server.set("cache", cache.serialize())
        made += 1
    print(time.perf_counter_ns() - began, flush=True)
