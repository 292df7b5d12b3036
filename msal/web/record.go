package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/msalext/msalext/msal"
)

const (
	// TokenPrefix begins the keys of the items that sessions' tokens are kept in; the
	// application's client id and a slash follow.
	TokenPrefix = "web/session/"
	// RecordName is the name under which a session has its [Record], as JSON in a
	// string.
	RecordName = "msalext"
)

// Record is what a session has of who is signed in. It holds no token, and one
// secret, CSRF. fmt and log/slog print the account alone; encoding/json makes
// of it what sessions have, with the secret.
type Record struct {
	TokenKey string          `json:"token_key"`        // of the item in Config.Tokens: TokenPrefix, client id, slash, and 26 random letters and digits
	Account  string          `json:"account"`          // MSAL's home account id
	Tenant   string          `json:"tid,omitempty"`    // where the person signed in
	Object   string          `json:"oid,omitempty"`    // the person in that tenant
	Name     string          `json:"name,omitempty"`   // to be shown
	Email    string          `json:"mail,omitempty"`   // to be shown; see [Session.Email]
	Since    time.Time       `json:"since"`            // of the sign-in
	CSRF     string          `json:"csrf"`             // what forms carry
	Claims   json.RawMessage `json:"claims,omitempty"` // of the ID token, without its nonce
}

// String names the account, and when the person signed in.
func (r Record) String() string {
	return "sign-in of " + r.Account + " at " + r.Since.UTC().Format(time.RFC3339)
}

// Format prints what String returns, whatever the verb.
func (r Record) Format(f fmt.State, _ rune) {
	_, _ = f.Write([]byte(r.String())) // fmt's own writers don't fail
}

// LogValue is what log/slog logs.
func (r Record) LogValue() slog.Value { return slog.StringValue(r.String()) }

// RecordOf returns the record among a session's values, as scs.Codec decodes
// them. false: nobody is signed in, or it isn't a session of this package.
func RecordOf(values map[string]any) (Record, bool) {
	text, _ := values[RecordName].(string)
	return parseRecord(text)
}

func parseRecord(text string) (Record, bool) {
	var r Record
	if text == "" || json.Unmarshal([]byte(text), &r) != nil || !strings.HasPrefix(r.TokenKey, TokenPrefix) {
		return Record{}, false
	}
	return r, true
}

// ownRecord is parseRecord for sessions of this application. Those of another one,
// in a store that both have, are nobody's here: roles are given for each.
func (a *App) ownRecord(text string) (Record, bool) {
	r, ok := parseRecord(text)
	if !ok || !strings.HasPrefix(r.TokenKey, a.tokenPrefix()) {
		return Record{}, false
	}
	return r, true
}

// recordIn returns who is signed in to the session of a request.
func (a *App) recordIn(ctx context.Context) (Record, bool) {
	return a.ownRecord(a.sessions.GetString(ctx, RecordName))
}

func (a *App) newRecord() Record {
	return Record{TokenKey: a.tokenPrefix() + rand.Text(), CSRF: rand.Text(), Since: time.Now().UTC().Truncate(time.Second)}
}

// tokenPrefix keeps applications that share a token store from sweeping each
// other's items.
func (a *App) tokenPrefix() string { return TokenPrefix + a.cfg.ClientID + "/" }

// describe fills in who it is.
func (r *Record) describe(token *msal.IDToken, result msal.Result) error {
	r.Account = result.Account.HomeAccountID
	r.Tenant, r.Object, r.Name = token.Text("tid"), token.Text("oid"), token.Text("name")
	r.Email = cmp.Or(token.Text("email"), token.Text("preferred_username"), token.Text("upn"))
	claims := maps.Clone(token.Claims)
	delete(claims, "nonce")
	text, err := json.Marshal(claims)
	if err != nil {
		return fmt.Errorf("msalext: keep the claims of an ID token: %w", err)
	}
	r.Claims = text
	return nil
}

// text is how a session has it. A Record always encodes.
func (r *Record) text() string {
	text, _ := json.Marshal(r)
	return string(text)
}

func containsFold(list []string, word string) bool {
	return slices.ContainsFunc(list, func(one string) bool { return strings.EqualFold(one, word) })
}
