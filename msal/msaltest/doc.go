// Package msaltest is a fake Microsoft Entra ID for tests and demonstrations
// of programs that sign people in with MSAL.
//
// [New] starts it on a loopback port with TLS. Unmodified MSAL clients talk to
// it: give them [Server.Authority], [Server.Client], and switch instance
// discovery off, because that would ask the real login.microsoftonline.com
// about an unknown host:
//
//	srv := msaltest.New(nil)
//	defer srv.Close()
//	client, err := public.New("client-id",
//		public.WithAuthority(srv.Authority()),
//		public.WithHTTPClient(srv.Client()),
//		public.WithInstanceDiscovery(false))
//
// To test code that depends on Microsoft's own host names, use
// [Server.CloudClient] instead, which leads every host name to the fake.
//
// # Who can sign in
//
// Everybody: each user name with an "@" in it exists, and signs in with
// [Options.Password]. [Server.AddUser] gives one of them a display name or a
// password of its own. Account ids follow from the name alone (see
// [HomeAccountID]), so they are the same in every process and every run.
//
// # What it serves
//
// Tenant discovery and instance discovery, user realm, the device code and
// authorization endpoints (response_type code, id_token or both; query,
// fragment and form_post), and the token endpoint with the grants device_code,
// password, authorization_code (with PKCE), refresh_token, client_credentials
// and jwt-bearer (on behalf of). Tokens are signed (RS256) with a key that is
// published as a JWKS, see [Server.Sign] and [Server.RotateKeys]. There are a
// sign-out page, the metadata service that managed identities come from, and of
// Microsoft Graph me, me/manager and me/photo/$value ([Server.GraphURL]).
// Tokens are bound to a key (token_type=pop) where a client asks for that, and
// Graph then wants a signed request.
//
// Every tenant name in a path is accepted, and every application, until
// [Server.AddApp] says what credentials one has to present. A person's part is
// played by [Server.Approve], [Server.Decline] and [Server.Authorize], and that
// of the browser as well by [Server.Follow]; what goes wrong by [Server.Fail],
// [Server.Revoke] and [Server.ExpireDeviceCode].
//
// Requests are recorded: [Server.Count] tells whether a token was asked for,
// [Server.Requests] what was sent, [Server.Await] waits for a request.
//
// # More than one process
//
// A second process uses a running fake through [Connect], or [ConnectEnv] when
// its environment holds [Server.Env]. The [Remote] it gets can also read the
// counts and approve device codes.
//
// # What it is not
//
// Everybody gets whatever token they ask for, and the TLS key is the public one
// of net/http/httptest. Nothing it says is proof of anything: never let a
// program that guards something trust it.
package msaltest
