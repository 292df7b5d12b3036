package tokencache

import (
	"encoding/json"
	"fmt"
	"testing"
)

// TestReadableDatesRefreshTokens: libraries leave tokens of one account
// and client under keys of their own, and not all of them say when.
func TestReadableDatesRefreshTokens(t *testing.T) {
	t.Parallel()
	const windows = "login.windows.net"
	base := rt("h", "c", "")
	token := func(secret string) part { return base.at(secret).with("secret", secret) }
	dated := func(secret string, at int) part { return token(secret).with("last_modification_time", fmt.Sprint(at)) }
	cached := func(key string, at int) part {
		return part{section: "AccessToken", key: key, fields: map[string]any{
			"home_account_id": "h", "environment": public, "client_id": "c", "secret": "x", "cached_at": fmt.Sprint(at)}}
	}
	for _, c := range []struct {
		name string
		in   []part
		want string
	}{
		{"equal dates: the last", []part{dated("a", 10), dated("b", 10)}, "b"},
		{"an access token was cached after the date", []part{dated("a", 10), token("b"), cached("1", 5), cached("2", 11)}, "b"},
		{"it was cached with the dated one", []part{token("a"), dated("b", 11), token("c"), cached("1", 5), cached("2", 11)}, "b"},
		{"of another client", []part{token("a"), dated("b", 10), cached("1", 11).with("client_id", "d")}, "b"},
		{"of another account", []part{token("a"), dated("b", 10), cached("1", 11).with("home_account_id", "i")}, "b"},
		{"under another name of the host", []part{token("a"), dated("b", 10), cached("1", 11).with("environment", windows)}, "b"},
		{"two undated, told apart by the name of the host", []part{
			token("a").with("environment", windows), token("b"), cached("1", 11).with("environment", windows), cached("2", 9)}, "a"},
		{"in other letter case", []part{token("a").with("client_id", "C"), dated("b", 10), cached("1", 11).with("home_account_id", "H")}, "a"},
		{"time that isn't one", []part{token("a"), dated("b", 10), cached("1", 0).with("cached_at", json.RawMessage("1e99"))}, "b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			given, err := Readable(inOrder(c.in...))
			if err != nil {
				t.Fatal(err)
			}
			var got struct {
				RefreshToken map[string]struct{ Secret string }
			}
			if err := json.Unmarshal(given, &got); err != nil {
				t.Fatal(err)
			}
			if len(got.RefreshToken) != 1 || got.RefreshToken[c.want].Secret != c.want {
				t.Errorf("got %v", got.RefreshToken)
			}
		})
	}
}

// inOrder is doc, with entries in the order given.
func inOrder(parts ...part) []byte {
	out := []byte("{")
	for i, section := range []string{"AccessToken", "RefreshToken"} {
		if i > 0 {
			out = append(out, ',')
		}
		out = fmt.Appendf(out, "%q:{", section)
		sep := ""
		for _, p := range parts {
			if p.section == section {
				fields, err := json.Marshal(p.fields)
				if err != nil {
					panic(err)
				}
				out = fmt.Appendf(out, "%s%q:%s", sep, p.key, fields)
				sep = ","
			}
		}
		out = append(out, '}')
	}
	return append(out, '}')
}
