// MSAL Extensions for Node as a peer of msalext, for ci/interop. Started in the
// directory that has node_modules.
//
// peer.mjs hold PATH                at the first line: take the lock, say "held", keep it until stdin ends
// peer.mjs contend PATH NAME N MS   at the first line: take the lock N times, for MS milliseconds each
// peer.mjs change PATH NAME N MS    at the first line: sign N accounts in, NAME-0 and so on, MS milliseconds apart
// peer.mjs read PATH                answer for each line whether that account is there
// peer.mjs meddle PATH              change once, then read at each line: which unlinks any lock file
import { once } from "node:events";
import { createRequire } from "node:module";
import { appendFileSync, realpathSync } from "node:fs";
import { createInterface } from "node:readline";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";

const require = createRequire(join(process.cwd(), "x.js"));
const { FilePersistence, PersistenceCachePlugin } = require("@azure/msal-node-extensions");
const { PublicClientApplication, TokenCacheContext } = require("@azure/msal-node");

// The package exports no lock class; this is the file it is in.
const root = dirname(realpathSync(require.resolve("@azure/msal-node-extensions/package.json")));
const { CrossPlatformLock } = await import(pathToFileURL(join(root, "dist/lock/CrossPlatformLock.mjs")));

const say = (...words) => process.stdout.write(words.join(" ") + "\n");
const silent = { info() {}, verbose() {}, warning() {}, error() {}, trace() {} };
const lines = () => createInterface({ input: process.stdin });

// begin waits for the first line, so that all begin together. It returns the
// end of the input.
async function begin() {
  say("ready");
  const input = lines();
  const end = once(input, "close");
  await once(input, "line");
  return { end };
}

async function hold(path) {
  const lock = new CrossPlatformLock(path + ".lockfile", silent);
  const { end } = await begin();
  try {
    await lock.lock();
  } catch (e) {
    return say("refused", e.errorCode ?? e.code);
  }
  say("held");
  await end;
  await lock.unlock();
  say("released");
}

async function contend(path, name, rounds, stay) {
  const record = (what) => appendFileSync(path + ".witness", `${what} ${name} ${process.pid}\n`);
  await begin();
  for (let i = 0; i < Number(rounds); i++) {
    const lock = new CrossPlatformLock(path + ".lockfile", silent);
    try {
      await lock.lock();
      record("start");
      await sleep(Number(stay));
      record("end");
      await lock.unlock();
      say("had");
    } catch (e) {
      say("refused", e.errorCode ?? e.code);
    }
  }
}

async function opened(path) {
  const plugin = new PersistenceCachePlugin(await FilePersistence.create(path));
  const client = new PublicClientApplication({ auth: { clientId: "c" }, cache: { cachePlugin: plugin } });
  return { plugin, client, cache: client.getTokenCache() };
}

// store puts an account and its refresh token into the memory of msal-node.
async function store(storage, account) {
  const common = { homeAccountId: account + ".t", environment: "login.microsoftonline.com", lastUpdatedAt: `${Date.now()}` };
  await storage.setAccount({ ...common, realm: "t", localAccountId: account, username: account, authorityType: "MSSTS" });
  await storage.setRefreshTokenCredential({ ...common, credentialType: "RefreshToken", clientId: "c", secret: "rt-" + account });
}

// signIn does what msal-node's ResponseHandler does with an answer.
async function signIn({ plugin, cache }, account) {
  const context = new TokenCacheContext(cache, true);
  try {
    await plugin.beforeCacheAccess(context);
    await store(cache.storage, account);
  } finally {
    await plugin.afterCacheAccess(context);
  }
}

async function change(path, name, count, pause) {
  const to = await opened(path);
  await begin();
  for (let i = 0; i < Number(count); i++) {
    await sleep(Number(pause));
    const account = `${name}-${i}`;
    try {
      await signIn(to, account);
      say("stored", account);
    } catch (e) {
      say("failed", account, e.errorCode ?? e.code ?? e.name);
    }
  }
}

async function read(path) {
  const { cache } = await opened(path);
  say("ready");
  for await (const line of lines()) {
    try {
      const accounts = await cache.getAllAccounts();
      say(accounts.some((a) => a.homeAccountId === line.trim() + ".t") ? "yes" : "no");
    } catch (e) {
      say("failed", e.errorCode ?? e.code ?? e.name);
    }
  }
}

async function meddle(path) {
  const to = await opened(path);
  await signIn(to, "meddler");
  say("ready");
  for await (const _ of lines()) {
    // A warm plugin that has locked once unlinks the lock file after reading,
    // whoever's it is.
    await to.plugin.afterCacheAccess(new TokenCacheContext(to.cache, false));
    say("read");
  }
}

const [what, ...args] = process.argv.slice(2);
await { hold, contend, change, read, meddle }[what](...args);
process.stdin.destroy(); // else its end is waited for
