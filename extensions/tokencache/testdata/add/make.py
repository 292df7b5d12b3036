"""Writes python.json: what MSAL Python's TokenCache.add makes of events.json.

Run it with msal 1.39.0 in this directory, after a change of events.json.
"""

import json

import msal

with open("events.json", encoding="utf-8") as f:
    events = json.load(f)

caches = {}
for name, event in events.items():
    cache = msal.SerializableTokenCache()
    cache.add({k: v for k, v in event.items() if k != "now"}, now=event["now"])
    caches[name] = json.loads(cache.serialize())

with open("python.json", "w", encoding="utf-8") as f:
    json.dump(caches, f, indent=1, sort_keys=True)
    f.write("\n")
