"""A web app with aiohttp_msal and sessions on a Redis server:
webpeer.py ADDRESS AUTHORITY CERTIFICATE SESSIONS. Signs one person in by the
fake's password grant, writes that session as often as told, prints the address
that it listens at and then the names of cookies, and answers
/token to who is signed in, after it has looked up their token; /session to who
is signed in; /open to everybody."""

import asyncio
import json
import sys
import time
import uuid

import requests
from aiohttp import web
from aiohttp_msal import ENV, app_init_redis_session, auth_ok, msal_session
from msal import ConfidentialClientApplication, SerializableTokenCache

address, authority, certificate, sessions = sys.argv[1:]
ENV.SP_APP_ID, ENV.SP_APP_PW, ENV.SP_AUTHORITY = "web", "secret", authority
ENV.DOMAIN, ENV.REDIS = "localhost", f"redis://{address}"
scopes = ["User.Read"]
# One connection to the identity provider, as a program that cares would have.
http = requests.Session()
http.trust_env, http.verify = False, certificate
options = {"http_client": http, "instance_discovery": False}


def sign_in():
    cache = SerializableTokenCache()
    app = ConfidentialClientApplication(
        "web", authority=authority, client_credential="secret", token_cache=cache, **options
    )
    flow = app.initiate_auth_code_flow(scopes, redirect_uri="http://localhost/", login_hint="alice@contoso.example")
    flow["auth_uri"] = flow["auth_uri"].replace("response_mode=form_post", "")
    there = http.get(flow["auth_uri"], allow_redirects=False).headers["Location"]
    answer = dict(pair.split("=", 1) for pair in requests.utils.urlparse(there).query.split("&"))
    result = app.acquire_token_by_auth_code_flow(flow, {k: requests.utils.unquote(v) for k, v in answer.items()})
    assert "access_token" in result, result.get("error_description")
    return cache.serialize()


async def fill(database):
    session = {"mail": "alice@contoso.example", "name": "Alice", "token_cache": sign_in()}
    text = json.dumps({"created": int(time.time()), "session": session})
    names = [uuid.uuid4().hex for _ in range(int(sessions))]
    for i in range(0, len(names), 500):
        async with database.pipeline(transaction=False) as pipe:
            for name in names[i : i + 500]:
                pipe.set(f"{ENV.COOKIE_NAME}_{name}", text, ex=86400)
            await pipe.execute()
    return names


async def answer(_):
    return web.Response(text="ok")


@msal_session(auth_ok)
async def signed_in(request, ses):
    return web.Response(text="ok")


@msal_session(auth_ok)
async def token(request, ses):
    ses.app_kwargs = options
    ses.default_scopes = scopes
    if not await ses.async_get_token():
        raise web.HTTPUnauthorized
    return web.Response(text="ok")


async def main():
    app = web.Application()

    async def connected():
        pass

    await app_init_redis_session(app, check_proxy_cb=connected)
    names = await fill(ENV.database)
    app.router.add_get("/open", answer)
    app.router.add_get("/session", signed_in)
    app.router.add_get("/token", token)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}")
    for name in names:
        print(f"{ENV.COOKIE_NAME}={name}")
    print("", flush=True)
    await asyncio.to_thread(sys.stdin.read)


asyncio.run(main())
