"""A program that signs people in with MSAL Python and keeps their tokens with
MSAL Extensions for Python in a file.

    cache.py LOCATION AUTHORITY

Each line of standard input is a command, answered by a line of JSON:

    sign-in USER    {"token": ...}, by device code
    silent USER     {"token": ...}, null where somebody has to sign in
    sign-out USER   {}
    accounts        {"accounts": [...]}
    application     {"token": ...}, the application's own

Every request goes to the fake Entra ID that MSALTEST_AUTHORITY names, under
the host that it was meant for.
"""
import json
import os
import sys
import tempfile
from urllib.parse import urlsplit, urlunsplit

import msal
import requests
from msal_extensions import FilePersistence, PersistedTokenCache

FAKE = urlsplit(os.environ["MSALTEST_AUTHORITY"])
SCOPES = ["User.Read"]
APPLICATION_SCOPE = "https://graph.microsoft.com/.default"


class ToTheFake(requests.adapters.HTTPAdapter):
    def send(self, request, **kwargs):
        url = urlsplit(request.url)
        request.headers["Host"] = url.netloc
        request.url = urlunsplit(url._replace(netloc=FAKE.netloc))
        return super().send(request, **kwargs)


def http_client(certificate):
    session = requests.Session()
    session.trust_env = False  # REQUESTS_CA_BUNDLE would come before verify
    session.verify = certificate
    session.mount("https://", ToTheFake())
    return session


class Application:
    def __init__(self, location, authority, certificate):
        self.http = http_client(certificate)
        cache = PersistedTokenCache(FilePersistence(location))
        self.app = msal.PublicClientApplication(
            "client", authority=authority, token_cache=cache, http_client=self.http)
        self.daemon = msal.ConfidentialClientApplication(
            "client", "secret", authority=authority, token_cache=cache, http_client=self.http)

    def account(self, user):
        found = self.app.get_accounts(username=user)
        return found[0] if found else None

    def sign_in(self, user):
        flow = self.app.initiate_device_flow(SCOPES)
        self.http.post(f"https://{FAKE.netloc}/msaltest/approve",
                       data={"user_code": flow["user_code"], "username": user}).raise_for_status()
        return {"token": self.app.acquire_token_by_device_flow(flow)["access_token"]}

    def silent(self, user):
        account = self.account(user)
        result = account and self.app.acquire_token_silent(SCOPES, account)
        return {"token": result and result["access_token"]}

    def sign_out(self, user):
        account = self.account(user)
        if account:
            self.app.remove_account(account)
        return {}

    def accounts(self):
        return {"accounts": sorted({a["username"] for a in self.app.get_accounts()})}

    def application(self):
        return {"token": self.daemon.acquire_token_for_client([APPLICATION_SCOPE])["access_token"]}


def main():
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as pem:  # requests wants a path
        pem.write(os.environ["MSALTEST_CERTIFICATE"])
        pem.flush()
        serve(Application(*sys.argv[1:], pem.name))


def serve(application):
    for line in sys.stdin:
        command, *arguments = line.split()
        try:
            answer = getattr(application, command.replace("-", "_"))(*arguments)
        except Exception as error:  # the test wants to see it, whatever it is
            answer = {"error": repr(error)}
        print(json.dumps(answer), flush=True)


main()
