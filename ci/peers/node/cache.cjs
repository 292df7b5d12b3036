// A program that signs people in with msal-node and keeps their tokens with
// msal-node-extensions in a file.
//
//   cache.cjs LOCATION AUTHORITY
//
// Each line of standard input is a command, answered by a line of JSON:
//
//   sign-in USER    {"token": ...}, by device code
//   silent USER     {"token": ...}, null where somebody has to sign in
//   sign-out USER   {}
//   accounts        {"accounts": [...]}
//   application     {"token": ...}, the application's own
//
// Every request goes to the fake Entra ID that MSALTEST_AUTHORITY names, under
// the host that it was meant for.
"use strict";
const https = require("node:https");
const readline = require("node:readline");
const msal = require("@azure/msal-node");
const { FilePersistence, PersistenceCachePlugin } = require("@azure/msal-node-extensions");

const fake = new URL(process.env.MSALTEST_AUTHORITY);
const scopes = ["User.Read"];

function send(method, url, { headers = {}, body } = {}) {
  const { host, pathname, search } = new URL(url);
  const options = {
    method,
    host: fake.hostname,
    port: fake.port,
    path: pathname + search,
    headers: { ...headers, host },
    servername: "", // the certificate is made out to the address
    ca: process.env.MSALTEST_CERTIFICATE,
  };
  return new Promise((resolve, reject) => {
    const request = https.request(options, (response) => {
      let text = "";
      response.on("data", (part) => (text += part));
      response.on("end", () => resolve({ headers: response.headers, status: response.statusCode, body: parsed(text) }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const networkClient = {
  sendGetRequestAsync: (url, options) => send("GET", url, options),
  sendPostRequestAsync: (url, options) => send("POST", url, options),
};

async function application(location, authority) {
  const persistence = await FilePersistence.create(location);
  const settings = (credential) => ({
    auth: { clientId: "client", authority, ...credential },
    cache: { cachePlugin: new PersistenceCachePlugin(persistence) },
    system: { networkClient },
  });
  const app = new msal.PublicClientApplication(settings());
  const daemon = new msal.ConfidentialClientApplication(settings({ clientSecret: "secret" }));
  const cache = app.getTokenCache();
  const account = async (user) => (await cache.getAllAccounts()).find((a) => a.username === user);
  return {
    async "sign-in"(user) {
      const result = await app.acquireTokenByDeviceCode({ scopes, deviceCodeCallback: ({ userCode }) => approve(userCode, user) });
      return { token: result.accessToken };
    },
    async silent(user) {
      const found = await account(user);
      if (!found) return { token: null };
      try {
        return { token: (await app.acquireTokenSilent({ scopes, account: found })).accessToken };
      } catch (error) {
        if (error instanceof msal.InteractionRequiredAuthError) return { token: null };
        throw error;
      }
    },
    async "sign-out"(user) {
      const found = await account(user);
      if (found) await cache.removeAccount(found);
      return {};
    },
    async application() {
      const scopes = ["https://graph.microsoft.com/.default"];
      return { token: (await daemon.acquireTokenByClientCredential({ scopes })).accessToken };
    },
    async accounts() {
      return { accounts: [...new Set((await cache.getAllAccounts()).map((a) => a.username))].sort() };
    },
  };
}

function approve(userCode, user) {
  const body = new URLSearchParams({ user_code: userCode, username: user }).toString();
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return send("POST", `https://${fake.host}/msaltest/approve`, { headers, body });
}

async function main() {
  const commands = await application(...process.argv.slice(2));
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [command, ...args] = line.trim().split(" ");
    const answer = await commands[command](...args).catch((error) => ({ error: String(error) }));
    console.log(JSON.stringify(answer));
  }
}

main();
