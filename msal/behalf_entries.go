package msal

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions/tokencache"
)

// Tokens on behalf of people are entries of the common schema with the field
// that it has for them, user_assertion_hash, which MSAL.NET and MSAL for Go
// write too. MSAL for Go's ordinary calls don't compare it, and would take such
// a token for one of a person who signed in; but it is given none that has "ext",
// MSAL.NET's field for tokens that were issued for more than is compared.
const (
	fieldAssertion = "user_assertion_hash"
	fieldExpires   = "user_assertion_expires_on" // ours: seconds since 1970
)

// assertionHash is the hash as MSAL for Go makes it.
func assertionHash(assertion string) string {
	hash := sha256.Sum256([]byte(assertion))
	return base64.URLEncoding.EncodeToString(hash[:])
}

const (
	// assertionGrace is for how long after its end Microsoft's libraries accept
	// a token, since clocks differ.
	assertionGrace = 5 * time.Minute
	// assertionUnknown is how long an assertion counts that doesn't say; Entra
	// ID's longest access tokens live for 28 hours, most for one.
	assertionUnknown = 24 * time.Hour
)

// assertionClaims are what an assertion says of itself. Its signature doesn't
// matter here: the provider has judged, or will judge, the whole, and tokens are
// found by the hash.
type assertionClaims struct {
	Expires json.Number `json:"exp"`
	Object  string      `json:"oid"`
	Tenant  string      `json:"tid"`
}

func parseAssertion(assertion string) (c assertionClaims) {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		return c
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil || json.Unmarshal(payload, &c) != nil {
		return assertionClaims{}
	}
	return c
}

// expiry is when the assertion expires.
func (c assertionClaims) expiry(now time.Time) time.Time {
	if seconds, err := c.Expires.Float64(); err == nil && seconds > 0 && seconds < 1<<40 {
		return time.Unix(int64(seconds), 0)
	}
	return now.Add(assertionUnknown)
}

// home is the home account id of somebody who isn't a guest, and of a guest
// nobody's.
func (c assertionClaims) home() string {
	if c.Object == "" || c.Tenant == "" {
		return ""
	}
	return c.Object + "." + c.Tenant
}

// expired tells whether the assertion is of no use any more.
func (b *behalf) expired(now time.Time) bool { return now.After(b.expires.Add(assertionGrace)) }

// tokenReserve is how much life a cached token must have left, as for MSAL.
const tokenReserve = 5 * time.Minute

// search finds what is stored for the assertion: mostly by the person, which is
// a lookup, and else among what is stored for everybody.
func (b *behalf) search(ctx context.Context, section tokencache.Section) ([]tokencache.Entry, error) {
	q := b.query(section)
	q.HomeAccountID = b.home
	found, err := b.cache.Search(ctx, q)
	if err == nil && len(found) == 0 && b.home != "" {
		q.HomeAccountID = ""
		found, err = b.cache.Search(ctx, q)
	}
	now := time.Now()
	return slices.DeleteFunc(found, func(e tokencache.Entry) bool { return outlivedAssertion(e, now) }), err
}

// outlivedAssertion tells whether an entry is of an assertion that has expired.
// Others' entries don't say.
func outlivedAssertion(e tokencache.Entry, now time.Time) bool {
	expires := e.Time(fieldExpires)
	return !expires.IsZero() && now.After(expires.Add(assertionGrace))
}

func (b *behalf) query(section tokencache.Section) tokencache.Query {
	q := tokencache.Query{Section: section, ClientID: b.clientID, Environment: b.host, Aliases: true,
		Fields: map[string]string{fieldAssertion: b.hash}}
	switch section {
	case tokencache.AccessTokens:
		q.Realm, q.Scopes, q.Now = b.tenant(), b.scopes, time.Now().Add(tokenReserve)
	case tokencache.IDTokens:
		q.Realm = b.tenant()
	}
	return q
}

// latestToken is the token that is good for longest.
func latestToken(tokens []tokencache.Entry) tokencache.Entry {
	return slices.MaxFunc(tokens, func(a, b tokencache.Entry) int {
		return cmp.Or(a.Time("expires_on").Compare(b.Time("expires_on")), a.Time("cached_at").Compare(b.Time("cached_at")))
	})
}

// tenantOf is the tenant that was asked for, as MSAL writes it.
func tenantOf(asked, authority string) string {
	if asked != "" {
		return strings.ToLower(asked)
	}
	u, err := url.Parse(strings.ToLower(authority))
	if err != nil {
		return "" // the client was made with it before
	}
	tenant, _, _ := strings.Cut(strings.TrimPrefix(u.EscapedPath(), "/"), "/")
	return tenant
}

// behalfResult makes a result of entries as MSAL makes one. Where an entry can't
// be read, there is none.
func behalfResult(token tokencache.Entry, identities []tokencache.Entry) (Result, bool) {
	r := Result{TokenType: "Bearer"}
	r.AccessToken, r.ExpiresOn = token.Secret(), token.Time("expires_on")
	r.GrantedScopes = strings.Fields(token.Field("target"))
	r.Metadata.RefreshOn, r.Metadata.TokenSource = token.Time("refresh_on"), public.TokenSourceCache
	r.Account = public.Account{HomeAccountID: token.Field("home_account_id"), Environment: token.Field("environment"), Realm: token.Field("realm")}
	home := func(e tokencache.Entry) bool {
		return strings.EqualFold(e.Field("home_account_id"), r.Account.HomeAccountID)
	}
	at := slices.IndexFunc(identities, home)
	if at < 0 {
		return r, true
	}
	if err := r.IDToken.UnmarshalJSON([]byte(strconv.Quote(identities[at].Secret()))); err != nil {
		return Result{}, false
	}
	r.Account.LocalAccountID = r.IDToken.LocalAccountID()
	r.Account.PreferredUsername = cmp.Or(r.IDToken.PreferredUsername, r.IDToken.UPN)
	r.Account.AuthorityType = authorityType(r.Account.Realm)
	return r, true
}

// authorityType is MSAL's word for who issued a token.
func authorityType(realm string) string {
	if realm == "adfs" {
		return "ADFS"
	}
	return "MSSTS"
}

// entries makes the entries of what was issued, as JSON.
func (b *behalf) entries(fresh Result, now time.Time) ([]byte, error) {
	common := func(kind, secret string) map[string]any {
		return map[string]any{
			"credential_type": kind, "home_account_id": fresh.Account.HomeAccountID, "environment": b.host, "client_id": b.clientID,
			"secret": secret, fieldAssertion: b.hash, fieldExpires: unixText(b.expires), "ext": map[string]string{fieldAssertion: b.hash},
		}
	}
	access := common("AccessToken", fresh.AccessToken)
	access["realm"], access["target"], access["token_type"] = b.tenant(), strings.Join(fresh.GrantedScopes, " "), "Bearer"
	access["cached_at"], access["expires_on"], access["extended_expires_on"] = unixText(now), unixText(fresh.ExpiresOn), unixText(fresh.ExpiresOn)
	if !fresh.Metadata.RefreshOn.IsZero() {
		access["refresh_on"] = unixText(fresh.Metadata.RefreshOn)
	}
	name := strings.ToLower(strings.Join([]string{fresh.Account.HomeAccountID, b.host, b.clientID, b.tenant(), b.hash}, "-"))
	all := map[string]map[string]any{"AccessToken": {name + "-" + strings.ToLower(strings.Join(fresh.GrantedScopes, " ")): access}}
	if fresh.RefreshToken != "" {
		all["RefreshToken"] = map[string]any{name: common("RefreshToken", fresh.RefreshToken)}
	}
	if raw := fresh.IDToken.RawToken; raw != "" {
		identity := common("IdToken", raw)
		identity["realm"] = b.tenant()
		all["IdToken"] = map[string]any{name: identity}
	}
	return json.Marshal(all)
}

func unixText(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
