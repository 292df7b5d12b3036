package msal

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

// Result is what the provider issued, or what was found in the cache: MSAL's
// own result and what it lacks. fmt, log/slog and
// encoding/json print no token of it, also inside of something else; who wants
// JSON with the tokens encodes the AuthResult.
type Result struct {
	public.AuthResult

	// TokenType says how to send the access token: Bearer, or what a scheme of
	// [SilentOptions] asked for.
	TokenType string
	// RefreshToken is the one that this very call brought, and empty where the
	// access token was in the cache. It is there for programs that hand it on;
	// it is in the cache already.
	RefreshToken string
}

// Claims are those of the ID token, by name, with numbers as [json.Number], and
// nil where there is no ID token or it can't be read. They aren't verified any
// further than [DecodeIDToken] does. Each call decodes them anew.
func (r Result) Claims() map[string]any {
	t, err := parseIDToken(r.IDToken.RawToken)
	if err != nil {
		return nil
	}
	return t.Claims
}

// ExpiresIn is for how long the access token is still good, and 0 where it
// isn't.
func (r Result) ExpiresIn() time.Duration { return max(time.Until(r.ExpiresOn), 0) }

// FromCache tells that nothing was asked of the provider.
func (r Result) FromCache() bool { return r.Metadata.TokenSource == public.TokenSourceCache }

// String tells of the token without showing it, nor whose it is.
func (r Result) String() string {
	source := "issued"
	if r.FromCache() {
		source = "from the cache"
	}
	return fmt.Sprintf("access token (%s), %s, until %s, for %q", r.TokenType, source, stamp(r.ExpiresOn), r.GrantedScopes)
}

// Format prints what String returns, whatever the verb.
func (r Result) Format(f fmt.State, _ rune) {
	_, _ = f.Write([]byte(r.String())) // fmt's own writers don't fail
}

// LogValue is what log/slog logs.
func (r Result) LogValue() slog.Value {
	return slog.GroupValue(slog.String("token_type", r.TokenType), slog.Bool("cached", r.FromCache()),
		slog.Time("expires_on", r.ExpiresOn), slog.Any("scopes", r.GrantedScopes))
}

// MarshalText gives encoders what String returns.
func (r Result) MarshalText() ([]byte, error) { return []byte(r.String()), nil }
