package tokencache

import (
	"bytes"
	"encoding/json"
	"testing"
)

// msal-node and MSAL4J store no metadata for an application without a family.
func TestReadableAddsAppMetadata(t *testing.T) {
	t.Parallel()
	const windows = "login.windows.net"
	elsewhere := func(p part) part { return p.with("environment", windows) }
	for name, c := range map[string]struct{ stored, want []part }{
		"missing":                {[]part{rt("h", "c", "1")}, []part{rt("h", "c", "1"), app("c")}},
		"once":                   {[]part{rt("h", "c", "1"), rt("i", "C", "2")}, []part{rt("h", "c", "1"), rt("i", "C", "2"), app("c")}},
		"there":                  {[]part{rt("h", "c", "1"), app("c").with("family_id", "1")}, []part{rt("h", "c", "1"), app("c").with("family_id", "1")}},
		"there under an alias":   {[]part{elsewhere(rt("h", "c", "1")), app("c")}, []part{elsewhere(rt("h", "c", "1")), app("c")}},
		"nothing to be redeemed": {[]part{account("h"), at("h", "c", "s", "x", 1)}, []part{account("h"), at("h", "c", "s", "x", 1)}},
	} {
		out, err := Readable(doc(c.stored...))
		if err != nil {
			t.Fatal(err)
		}
		if diff := diffMeaning(t, doc(c.want...), out); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// What MSAL Go was given beyond what is stored isn't its change.
func TestAddedAppMetadataIsNotStored(t *testing.T) {
	t.Parallel()
	stored := doc(signIn("alice", "c", "1")[:4]...)
	if bytes.Contains(stored, []byte("appmetadata")) {
		t.Fatal("there is metadata already")
	}
	base, err := Readable(stored)
	if err != nil || !bytes.Contains(base, []byte("appmetadata-"+public+"-c")) {
		t.Fatalf("%s, %v", base, err)
	}
	out, changed, err := Merge(base, base, stored, OpSilent)
	if err != nil || changed || !bytes.Equal(out, stored) {
		t.Errorf("changed %v, %v: %s", changed, err, out)
	}
	ours := mustMerge(t, nil, doc(at("alice", "c", "other", "2", 9)), base, OpSilent)
	out = mustMerge(t, base, ours, stored, OpSilent)
	if bytes.Contains(out, []byte("appmetadata")) || !bytes.Contains(out, []byte(`"other"`)) {
		t.Errorf("stored: %s", out)
	}
}

// A token of MSAL.NET that is bound to more than MSAL Go compares is neither
// given to MSAL Go nor overwritten by what MSAL Go gets for the same scopes.
func TestBoundTokens(t *testing.T) {
	t.Parallel()
	ext := json.RawMessage(`{"fmi_path":"agent"}`)
	bound := at("", "c", "s", "bound", 9).at("-atext-").with("ext", ext).with("credential_type", "ATExt")
	bare := bound.with("ext", nil) // as MSAL4J leaves it
	if out, err := Readable(doc(bare)); err != nil || bytes.Contains(out, []byte("bound")) {
		t.Errorf("given to MSAL Go: %s, %v", out, err)
	}
	if out := mustMerge(t, nil, doc(at("", "c", "s", "plain", 99)), doc(bare), OpAcquire); !bytes.Contains(out, []byte("bound")) {
		t.Errorf("overwritten: %s", out)
	}
	stored := doc(bound, rt("h", "c", "bound").at("rt-ext").with("ext", ext))
	base, err := Readable(stored)
	if err != nil || bytes.Contains(base, []byte("bound")) {
		t.Fatalf("given to MSAL Go: %s, %v", base, err)
	}
	plain, token := at("", "c", "s", "plain", 99), rt("h", "c", "plain")
	out := mustMerge(t, base, doc(plain, token), stored, OpAcquire)
	text := parseText(out)
	if len(text["AccessToken"]) != 2 || len(text["RefreshToken"]) != 2 || bytes.Count(out, []byte(`"bound"`)) != 2 {
		t.Errorf("stored: %s", out)
	}
	if out, err := Readable(doc(bound.with("ext_cache_key", "hash"))); err != nil || !bytes.Contains(out, []byte("bound")) {
		t.Errorf("MSAL Go's own kind is kept from it: %s, %v", out, err)
	}
}
