package tokencache

import (
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"
)

// Event is an answer of a token endpoint, and what was asked: what Add stores.
// Its fields are what MSAL Python's TokenCache.add takes. fmt and log/slog
// print no secret of it, and an encoder gets the text that String gives.
type Event struct {
	ClientID string   // required
	Scopes   []string // that were asked for; they become the target, sorted

	// TokenEndpoint is the URL that answered, https://<host>/<tenant>/…; its
	// host without port and its tenant stand in where Environment and Realm
	// are empty.
	TokenEndpoint string
	Environment   string // host of the authority
	Realm         string // tenant; "adfs" at ADFS

	// GrantType is the grant_type that was sent. A sign-in (authorization_code,
	// password, urn:ietf:params:oauth:grant-type:device_code, broker, user_fic)
	// is noted in the account as its source.
	GrantType string

	// Response is the JSON that the endpoint answered: access_token,
	// refresh_token, id_token, client_info, expires_in, ext_expires_in,
	// refresh_in, token_type, foci. Claims in id_token_claims go before those
	// inside id_token, which isn't verified. Required, with a token in it.
	Response []byte

	// Data is the form that was posted. key_id is stored with the access
	// token; username names the account where the claims don't; fields that
	// aren't part of every token request, such as fmi_path, keep the access
	// token apart from others, as a hash. Nothing else of it is looked at.
	Data map[string]string

	Username      string // names the account where claims and Data don't
	AccountID     string // local account id; empty: oid or sub of the claims
	AuthorityType string // empty: "ADFS" for the realm "adfs", else "MSSTS"

	// SkipAccount stores no account. Set it for a silent refresh, so that a
	// sign-out meanwhile isn't undone.
	SkipAccount bool

	Now time.Time // when the answer came. Required
}

// String says what was answered, without secrets and without the person.
func (e Event) String() string {
	return fmt.Sprintf("answer of a token endpoint to client %q (contents withheld)", e.ClientID)
}

// Format prints what String returns, whatever the verb.
func (e Event) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.String()) }

// LogValue is what log/slog logs: what String returns.
func (e Event) LogValue() slog.Value { return slog.StringValue(e.String()) }

// MarshalText gives encoders what String returns.
func (e Event) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// origin returns where the tokens are from. Of an endpoint in the ciamlogin.com
// domain without a path, the tenant is the subdomain's.
func (e *Event) origin() (environment, realm string, err error) {
	environment, realm = strings.ToLower(e.Environment), e.Realm
	if e.TokenEndpoint != "" && (environment == "" || realm == "") {
		u, uerr := url.Parse(e.TokenEndpoint)
		if uerr != nil || u.Scheme != "https" || u.Hostname() == "" {
			return "", "", invalid("the token endpoint is no https URL")
		}
		host := strings.ToLower(u.Hostname())
		if environment == "" {
			environment = host
		}
		if realm == "" {
			realm = tenantOf(host, u.Path)
		}
	}
	if environment == "" || realm == "" || e.ClientID == "" {
		return "", "", invalid("client id, environment and realm must be known")
	}
	return environment, realm, nil
}

func tenantOf(host, path string) string {
	tenant, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if name, ok := strings.CutSuffix(host, ".ciamlogin.com"); ok && tenant == "" {
		return name + ".onmicrosoft.com"
	}
	return tenant
}

// invalid says what is wrong with an argument, never with its contents.
func invalid(what string) error { return fmt.Errorf("%w: %s", ErrInvalid, what) }
