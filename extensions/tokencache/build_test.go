package tokencache

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const public = "login.microsoftonline.com"

// part is one entry of a test document.
type part struct {
	section, key string
	fields       map[string]any
	raw          string // written instead of fields
}

func at(home, client, scopes, secret string, expires int) part {
	return part{
		section: "AccessToken",
		key:     strings.ToLower(strings.Join([]string{home, public, "accesstoken", client, "tenant", scopes}, "-")),
		fields: map[string]any{
			"home_account_id": home, "environment": public, "realm": "tenant", "credential_type": "AccessToken",
			"client_id": client, "secret": secret, "target": scopes, "token_type": "Bearer",
			"expires_on": fmt.Sprint(expires), "extended_expires_on": fmt.Sprint(expires), "cached_at": "1000",
		},
	}
}

func rt(home, client, secret string) part {
	return part{
		section: "RefreshToken",
		key:     strings.ToLower(home + "-" + public + "-refreshtoken-" + client),
		fields: map[string]any{
			"home_account_id": home, "environment": public, "credential_type": "RefreshToken",
			"client_id": client, "secret": secret,
		},
	}
}

func idt(home, client string, iat int) part {
	claims := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"iat":%d,"name":"Zoë"}`, iat))
	return part{
		section: "IdToken",
		key:     strings.ToLower(home + "-" + public + "-idtoken-" + client + "-tenant"),
		fields: map[string]any{
			"home_account_id": home, "environment": public, "realm": "tenant", "credential_type": "IdToken",
			"client_id": client, "secret": "e30." + claims + ".sig",
		},
	}
}

func account(home string) part {
	return part{
		section: "Account",
		key:     strings.ToLower(home + "-" + public + "-tenant"),
		fields: map[string]any{
			"home_account_id": home, "environment": public, "realm": "tenant", "local_account_id": "local-" + home,
			"authority_type": "MSSTS", "username": home + "@example.com",
		},
	}
}

func app(client string) part {
	return part{
		section: "AppMetadata",
		key:     "appmetadata-" + public + "-" + client,
		fields:  map[string]any{"environment": public, "client_id": client},
	}
}

// with sets a field; nil removes it, null is json.RawMessage("null").
func (p part) with(name string, value any) part {
	p.fields = maps.Clone(p.fields)
	if value == nil {
		delete(p.fields, name)
	} else {
		p.fields[name] = value
	}
	return p
}

func (p part) at(key string) part { p.key = key; return p }

func (p part) written(raw string) part { p.raw = raw; return p }

func doc(parts ...part) []byte {
	sections := map[string]map[string]any{}
	for _, p := range parts {
		if sections[p.section] == nil {
			sections[p.section] = map[string]any{}
		}
		if p.raw != "" {
			sections[p.section][p.key] = json.RawMessage(p.raw)
		} else {
			sections[p.section][p.key] = p.fields
		}
	}
	out, err := json.Marshal(sections)
	if err != nil {
		panic(err)
	}
	return out
}

// signIn is what MSAL Go adds for a person.
func signIn(home, client, generation string) []part {
	return []part{
		at(home, client, "user.read", "at-"+generation, 5000), rt(home, client, "rt-"+generation),
		idt(home, client, 1000), account(home), app(client),
	}
}

// meaning parses a document for comparison, without the dates of refresh
// tokens, without the dashes at the end of keys by which MSAL Python's differ
// from MSAL Go's, and without sections that are empty.
func meaning(t *testing.T, data []byte) map[string]map[string]any {
	t.Helper()
	all := map[string]map[string]any{}
	if len(data) == 0 {
		return all
	}
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatalf("not a cache: %v\n%s", err, data)
	}
	for name, section := range all {
		if len(section) == 0 {
			delete(all, name)
			continue
		}
		for _, e := range section {
			if fields, ok := e.(map[string]any); ok && name == "RefreshToken" {
				delete(fields, "last_modification_time")
			}
		}
		if name == "RefreshToken" || name == "IdToken" {
			all[name] = withoutDashes(section)
		}
	}
	return all
}

func withoutDashes(section map[string]any) map[string]any {
	trimmed := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(section)) {
		short := strings.TrimRight(key, "-")
		if _, taken := trimmed[short]; taken {
			short = key
		}
		trimmed[short] = section[key]
	}
	return trimmed
}

func diffMeaning(t *testing.T, want, got []byte) string {
	t.Helper()
	return cmp.Diff(meaning(t, want), meaning(t, got))
}
