"""MSAL Extensions for Python as a peer of msalext, for ci/interop.

peer.py hold PATH                at the first line: take the lock, say "held", keep it until stdin ends
peer.py contend PATH NAME N MS   at the first line: take the lock N times, for MS milliseconds each
peer.py change PATH NAME N MS    at the first line: sign N accounts in, NAME-0 and so on, MS milliseconds apart
peer.py read PATH                answer for each line whether that account is there
peer.py pause PATH               as read, but between reading the file and noting that it did, say "loaded" and
                                 wait for a line
"""

import base64
import json
import os
import sys
import time

from msal_extensions import CrossPlatLock, FilePersistence, PersistedTokenCache


def say(*words):
    print(*words, flush=True)


def hold(path):
    say("ready")
    sys.stdin.readline()
    try:
        with CrossPlatLock(path + ".lockfile"):
            say("held")
            sys.stdin.read()
    except Exception as ex:
        say("refused", type(ex).__name__)
        return
    say("released")


def contend(path, name, rounds, stay):
    witness = os.open(path + ".witness", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    record = lambda what: os.write(witness, f"{what} {name} {os.getpid()}\n".encode())
    say("ready")
    sys.stdin.readline()
    for _ in range(int(rounds)):
        try:
            with CrossPlatLock(path + ".lockfile"):
                record("start")
                time.sleep(int(stay) / 1000)
                record("end")
        except Exception as ex:
            say("refused", type(ex).__name__)
        else:
            say("had")


def sign_in(account):
    """What a token endpoint answers, as MSAL hands it to its cache."""
    info = base64.urlsafe_b64encode(json.dumps({"uid": account, "utid": "t"}).encode()).decode().rstrip("=")
    return {
        "client_id": "c",
        "scope": ["s"],
        "token_endpoint": "https://login.microsoftonline.com/t/oauth2/v2.0/token",
        "grant_type": "authorization_code",
        "response": {
            "access_token": "at-" + account,
            "refresh_token": "rt-" + account,
            "id_token": "e30.e30.x",
            "id_token_claims": {"oid": account, "sub": account, "preferred_username": account},
            "client_info": info,
            "expires_in": 3600,
        },
    }


def change(path, name, count, pause):
    cache = PersistedTokenCache(FilePersistence(path))
    say("ready")
    sys.stdin.readline()
    for i in range(int(count)):
        time.sleep(int(pause) / 1000)
        account = f"{name}-{i}"
        try:
            cache.add(sign_in(account))
        except Exception as ex:
            say("failed", account, type(ex).__name__)
        else:
            say("stored", account)


class Pausing(FilePersistence):
    """Takes long to load, as it does when the machine is busy or the cache large."""

    def load(self):
        data = super().load()
        say("loaded")
        sys.stdin.readline()
        return data


def pause(path):
    read(path, Pausing)


def read(path, persistence=FilePersistence):
    cache = PersistedTokenCache(persistence(path))
    say("ready")
    for line in sys.stdin:
        query = {"home_account_id": line.strip() + ".t"}
        try:
            found = list(cache.search(cache.CredentialType.ACCOUNT, query=query))
        except Exception as ex:
            say("failed", type(ex).__name__)
        else:
            say("yes" if found else "no")


if __name__ == "__main__":
    {"hold": hold, "contend": contend, "change": change, "read": read, "pause": pause}[sys.argv[1]](*sys.argv[2:])
