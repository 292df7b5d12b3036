package tokencache

import (
	"encoding/json"
	"slices"
	"testing"
)

func TestReadableLeavesOut(t *testing.T) {
	t.Parallel()
	alice := signIn("alice", "c", "1")
	null := json.RawMessage("null")
	for name, bad := range map[string]part{
		"null entry":           account("x").written("null"),
		"empty entry":          account("x").written("{}"),
		"no known field":       account("x").written(`{"account_source":"x","name":null}`),
		"list":                 account("x").written("[]"),
		"null time":            at("x", "c", "s", "x", 1).with("expires_on", null),
		"empty time":           at("x", "c", "s", "x", 1).with("cached_at", ""),
		"fraction":             at("x", "c", "s", "x", 1).with("refresh_on", 1.5),
		"text that's a number": account("x").with("username", 7),
		"control character":    account("x").at("a\u007fb"),
		"line separator":       account("x").at("a\u2028b"),
		"nested leftovers":     account("x").with("AdditionalFields", map[string]any{}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := Readable(doc(append(alice, bad)...))
			if err != nil {
				t.Fatal(err)
			}
			if diff := diffMeaning(t, doc(alice...), out); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadableKeeps(t *testing.T) {
	t.Parallel()
	in := doc(append(signIn("alice", "c", "1"), at("", "c", "s", "x", 1).with("home_account_id", json.RawMessage("null")).with("expires_on", 7))...)
	for _, data := range [][]byte{nil, in, append([]byte("\ufeff"), in...)} {
		out, err := Readable(data)
		if err != nil || string(out) != string(data[len(data)-len(out):]) {
			t.Errorf("%v, %s", err, out)
		}
	}
	if out, err := Readable([]byte(`{"AccessTokens":{},"X":1}`)); err != nil || string(out) != "{}" {
		t.Errorf("unknown members: %s, %v", out, err)
	}
	if _, err := Readable([]byte(`{`)); err == nil {
		t.Error("malformed cache accepted")
	}
}

func TestReadableGivesTheNewestRefreshToken(t *testing.T) {
	t.Parallel()
	dated := func(key, secret string, stamp any) part {
		return rt("h", "c", secret).at(key).with("last_modification_time", stamp)
	}
	others := []part{rt("h", "d", "x"), rt("h", "1", "x").with("family_id", "1"), app("c"), app("d"), app("1")}
	for name, c := range map[string]struct{ tokens, want []part }{
		"later":           {[]part{dated("a", "1", "5"), dated("b", "2", "9"), dated("c", "3", 7)}, []part{dated("b", "2", "9")}},
		"dated":           {[]part{dated("a", "1", "5"), dated("b", "2", nil)}, []part{dated("a", "1", "5")}},
		"last":            {[]part{dated("a", "1", nil), dated("b", "2", nil)}, []part{dated("b", "2", nil)}},
		"first is newest": {[]part{dated("a", "1", "9"), dated("b", "2", "8"), dated("c", "2", "7")}, []part{dated("a", "1", "9")}},
	} {
		out, err := Readable(doc(append(c.tokens, others...)...))
		if err != nil {
			t.Fatal(err)
		}
		if diff := diffMeaning(t, doc(append(c.want, others...)...), out); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A library that was given the readable part, and hands it back with a change,
// must not delete what it was not given.
func TestReadableThenMerge(t *testing.T) {
	t.Parallel()
	stale := rt("alice", "c", "stale").at("python--a").with("last_modification_time", "1")
	poison := account("x").written("null")
	stored := doc(append(signIn("alice", "c", "1"), rt("alice", "c", "rt-1").with("last_modification_time", "2"), stale, poison)...)
	base, err := Readable(stored)
	if err != nil {
		t.Fatal(err)
	}
	ours := doc(slices.Concat(signIn("alice", "c", "1"), signIn("bob", "c", "1"))...)
	out, _, err := Merge(base, ours, stored, OpAcquire)
	if err != nil {
		t.Fatal(err)
	}
	want := doc(slices.Concat(signIn("alice", "c", "1"), signIn("bob", "c", "1"), []part{stale, poison})...)
	if diff := diffMeaning(t, want, out); diff != "" {
		t.Error(diff)
	}
}
