// An OpenID provider that knows nothing of Entra ID, where MSAL for Go looks for
// one: below /tenant/v2.0 of a loopback address, with TLS. It reads its
// certificate, key and clients as one line of JSON, prints its port, and ends
// with its input.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:https';
import { createInterface } from 'node:readline';

import Provider from 'oidc-provider';

const prefix = '/tenant/v2.0';

const configuration = {
  routes: {
    // MSAL takes its address for that of the token endpoint, with another word.
    device_authorization: '/devicecode',
    token: '/token',
  },
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
  },
  scopes: ['openid', 'offline_access', 'profile', 'User.Read', 'api/.default'],
  claims: { openid: ['sub'], profile: ['name', 'preferred_username', 'oid', 'tid'] },
  // Entra ID has a person's name in the ID token, too.
  conformIdTokenClaims: false,
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, name: id, preferred_username: `${id}@contoso.example`, oid: id, tid: 'tenant' }),
  }),
  // A device can't ask for consent, which offline_access takes elsewhere.
  issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
  // Each refresh token is good for once, and a second use ends the sign-in.
  rotateRefreshToken: true,
  jwks: { keys: [signingKey()] },
  cookies: { keys: ['loopback only'] },
};

function signingKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: 'the key' };
}

// MSAL writes device_code where RFC 8628 has a URN.
async function inStandardWords(req) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  const form = new URLSearchParams(Buffer.concat(chunks).toString());
  if (form.get('grant_type') === 'device_code') {
    form.set('grant_type', 'urn:ietf:params:oauth:grant-type:device_code');
  }
  req.body = Object.fromEntries(form);
}

function serve({ key, cert, clients }) {
  const server = createServer({ key, cert });
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    const provider = new Provider(`https://127.0.0.1:${port}${prefix}`, { ...configuration, clients });
    provider.on('server_error', (_, err) => console.error(err));
    const answer = provider.callback();
    server.on('request', async (req, res) => {
      req.originalUrl = req.url;
      if (req.url.startsWith(`${prefix}/`)) req.url = req.url.slice(prefix.length);
      if (req.url === '/token') await inStandardWords(req);
      answer(req, res);
    });
    console.log(`port ${port}`);
  });
}

const input = createInterface({ input: process.stdin });
input.once('line', (line) => serve(JSON.parse(line)));
input.once('close', () => process.exit());
