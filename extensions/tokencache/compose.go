package tokencache

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// composer makes the entries of an event, field by field as MSAL Python's
// TokenCache.add does.
type composer struct {
	*Event
	response

	environment, realm string
	target             string
	now                int64
}

// composed is an entry that was made.
type composed struct {
	section Section
	raw     []byte
}

// entries returns what an event adds to a cache.
func (e *Event) entries() ([]composed, error) {
	if e.Now.IsZero() {
		return nil, invalid("the time is missing")
	}
	environment, realm, err := e.origin()
	if err != nil {
		return nil, err
	}
	r, err := readResponse(e.Response)
	if err != nil {
		return nil, err
	}
	scopes := slices.Sorted(slices.Values(e.Scopes))
	m := composer{Event: e, response: r, environment: environment, realm: realm, target: strings.Join(scopes, " "), now: e.Now.Unix()}
	return m.all()
}

func (m *composer) all() ([]composed, error) {
	var made []composed
	if m.text("access_token") != "" {
		token, err := m.accessToken()
		if err != nil {
			return nil, err
		}
		made = append(made, composed{AccessTokens, token})
	}
	if m.person && !m.SkipAccount {
		made = append(made, composed{Accounts, m.account()})
	}
	if m.text("id_token") != "" {
		made = append(made, composed{IDTokens, m.idToken()})
	}
	if m.text("refresh_token") != "" {
		made = append(made, composed{RefreshTokens, m.refreshToken()})
	}
	return append(made, composed{AppMetadata, m.metadata()}), nil
}

// lifetimes are seconds from now. Python's default is ten minutes; refresh is
// nil where the endpoint didn't say.
func (m *composer) lifetimes() (expires, extended int64, refresh *int64, err error) {
	expires, given, err := m.seconds("expires_in")
	if err == nil && !given {
		expires = 600
		if on, given, oerr := m.seconds("expires_on"); given && on != 0 { // some managed identities say when
			expires = on - m.now
		} else {
			err = oerr
		}
	}
	extended, given, eerr := m.seconds("ext_expires_in")
	if !given {
		extended = expires
	}
	in, given, rerr := m.seconds("refresh_in")
	if given {
		refresh = &in
	}
	return expires, extended, refresh, cmp.Or(err, eerr, rerr)
}

func (m *composer) accessToken() ([]byte, error) {
	expires, extended, refresh, err := m.lifetimes()
	if err != nil {
		return nil, err
	}
	var o object
	m.credential(&o, AccessTokens, "access_token")
	o.text("target", m.target)
	o.text("realm", m.realm)
	o.text("token_type", cmp.Or(m.response.text("token_type"), "Bearer"))
	o.time("cached_at", m.now)
	o.time("expires_on", m.now+expires)
	o.time("extended_expires_on", m.now+extended)
	if id := m.Data["key_id"]; id != "" {
		o.text("key_id", id)
	}
	if key := extKeyOf(m.Data); key != "" {
		o.text("ext_cache_key", key)
	}
	if refresh != nil {
		o.time("refresh_on", m.now+*refresh)
	}
	return o.bytes(), nil
}

func (m *composer) idToken() []byte {
	var o object
	m.credential(&o, IDTokens, "id_token")
	o.text("realm", m.realm)
	return o.bytes()
}

func (m *composer) refreshToken() []byte {
	var o object
	m.credential(&o, RefreshTokens, "refresh_token")
	o.text("target", m.target)
	o.time(strings.Trim(lastModified, `"`), m.now)
	m.family(&o)
	return o.bytes()
}

// credential writes what all tokens have. A token of the application itself
// has no home account; Python finds it by the null.
func (m *composer) credential(o *object, k Section, secret string) {
	o.text("credential_type", k.String())
	o.text("secret", m.text(secret))
	o.optional("home_account_id", m.home)
	o.text("environment", m.environment)
	o.text("client_id", m.ClientID)
}

func (m *composer) account() []byte {
	var o object
	o.text("home_account_id", m.home)
	o.text("environment", m.environment)
	o.text("realm", m.realm)
	o.optional("local_account_id", cmp.Or(m.AccountID, m.claim("oid"), m.claim("sub")))
	o.text("username", cmp.Or(m.claim("preferred_username"), m.claim("upn"), m.Data["username"], m.Username))
	o.text("authority_type", m.authorityType())
	if establishes[m.GrantType] {
		o.text("account_source", m.GrantType)
	}
	return o.bytes()
}

// establishes are the grants that sign a person in.
var establishes = map[string]bool{
	"broker": true, "authorization_code": true, "password": true, "user_fic": true,
	"urn:ietf:params:oauth:grant-type:device_code": true,
}

func (m *composer) authorityType() string {
	if m.AuthorityType == "" && m.realm == "adfs" {
		return "ADFS"
	}
	return cmp.Or(m.AuthorityType, "MSSTS")
}

func (m *composer) metadata() []byte {
	var o object
	o.text("client_id", m.ClientID)
	o.text("environment", m.environment)
	m.family(&o)
	return o.bytes()
}

// family writes the family of applications that a refresh token is for.
func (m *composer) family(o *object) {
	if id := m.text("foci"); id != "" {
		o.text("family_id", id)
	}
}

func (o *object) text(name, value string) {
	o.set(field{appendQuoted(nil, name), appendQuoted(nil, value)})
}

func (o *object) time(name string, seconds int64) { o.text(name, strconv.FormatInt(seconds, 10)) }

// optional writes null for "".
func (o *object) optional(name, value string) {
	if value == "" {
		o.set(field{appendQuoted(nil, name), []byte("null")})
		return
	}
	o.text(name, value)
}
