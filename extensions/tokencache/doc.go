// Package tokencache reads, changes and merges the token cache that the MSAL
// libraries of all languages share. It does no I/O, starts nothing, reads no
// clock and keeps no state outside the values it returns.
//
// # The format
//
// A cache is one JSON object, MSAL's unified cache format (the type Contract
// in MSAL Go's apps/internal/base/storage, SerializableTokenCache in MSAL
// Python, CacheJsonContract in MSAL.NET). Each section is an object from a key
// to an entry:
//
//	{
//	  "AccessToken":  {"<home>-<env>-accesstoken-<client>-<realm>-<scopes>": {…}},
//	  "RefreshToken": {"<home>-<env>-refreshtoken-<client or family>": {…}},
//	  "IdToken":      {"<home>-<env>-idtoken-<client>-<realm>": {…}},
//	  "Account":      {"<home>-<env>-<realm>": {…}},
//	  "AppMetadata":  {"appmetadata-<env>-<client>": {…}}
//	}
//
// Keys are lower-cased. They differ between the libraries: MSAL Python and
// MSAL.NET end the key of a refresh token and an ID token with further dashes,
// Python sorts the scopes, MSAL.NET prefers another alias of the host. The
// libraries find an entry by its fields, and so does this package. An entry's
// identity is, with env* the group of hosts that are the same cloud:
//
//	AccessToken   home_account_id, env*, client_id, realm, set of scopes in
//	              target, token_type (absent: Bearer), ext_cache_key
//	RefreshToken  home_account_id, env*, family_id or else client_id
//	IdToken       home_account_id, env*, client_id, realm
//	Account       home_account_id, env*, realm
//	AppMetadata   env*, client_id
//
// Tokens issued for a user assertion differ by user_assertion_hash too. Letter
// case is ignored, as the keys ignore it. Times are decimal strings of seconds
// since 1970; some writers use numbers.
//
// # Bytes
//
// An entry stays the bytes that were read until a call needs its fields. What
// isn't changed is written back byte for byte: other entries, fields, sections
// and top-level members that this package doesn't know, white space, and
// entries that no MSAL library could read. What this package writes itself is
// ASCII, because MSAL Python reads a cache in the encoding of the locale.
//
// # Names in MSAL Python
//
//	TokenCache.add                          [TokenCache.Add], with an [Event]
//	TokenCache.search, find                 [TokenCache.Search], with a [Query]
//	TokenCache.modify, update_rt            [TokenCache.Modify]
//	remove_at, remove_rt, remove_idt        [TokenCache.Remove]
//	ClientApplication.remove_account        [TokenCache.RemoveAccount]
//	SerializableTokenCache.serialize        [TokenCache.Serialize]
//	SerializableTokenCache.deserialize      [TokenCache.Deserialize]
//	SerializableTokenCache.has_state_changed  [TokenCache.HasStateChanged]
//	overriding add and modify               [TokenCache.OnChange]
//
// As in Python, Search doesn't find access tokens that have expired; but the
// caller says when it is, since this package has no clock, and they aren't
// deleted. Every call documents where else it differs.
//
// # Keys of new entries
//
// Python finds entries by their fields and removes them by the key that it
// computes. For the refresh tokens and ID tokens of MSAL Go that is another key
// than theirs, so a sign-out in Python leaves Go's refresh token behind. MSAL Go
// finds and removes by fields. So both Add and Merge store new entries under
// the keys that Python computes; for tokens without a target MSAL.NET builds
// the same. An entry that is stored already keeps its key, so that the library
// which wrote it overwrites it and doesn't add another.
//
// # The merge
//
// An MSAL library hands over its whole cache, while other processes write
// theirs. [Merge] finds out what one library changed since it last read, and
// applies only that to what is stored now. It promises:
//
//   - An entry that only others changed is kept as they wrote it.
//   - A token that was just issued is kept, except after a sign-out elsewhere.
//   - An account that was signed out stays signed out: a silent refresh that
//     was under way doesn't bring it back, a new sign-in does.
//   - A rotated refresh token has one survivor, the newest; no entry is
//     duplicated because another library wrote it under another key.
//   - Merging the same change twice is the same as merging it once, and
//     changes to different entries may be merged in either order.
//   - The result is valid JSON whatever the inputs hold.
package tokencache
