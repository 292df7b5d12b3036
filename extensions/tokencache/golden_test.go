package tokencache

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The files in testdata were written by the libraries themselves: MSAL Go
// 1.10.1 after two sign-ins; MSAL Python 1.39.0 after sign-ins and an
// application's token; and by MSAL Go after it read what Python wrote. The
// tokens in them were made up.
func golden(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

const (
	tenant    = "11111111-1111-1111-1111-111111111111"
	goldenApp = "22222222-2222-2222-2222-222222222222"
	alice     = "aaaaaaaa-0000-0000-0000-000000000001." + tenant
)

func TestGoldenRoundTrip(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"msal-go.json", "msal-python.json", "msal-python-rewritten-by-go.json"} {
		data := golden(t, name)
		var c TokenCache
		if err := c.Deserialize(data); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !bytes.Equal(c.Serialize(), data) {
			t.Errorf("%s: written with other bytes", name)
		}
		if got := c.Accounts(); len(got) != 2 || got[0].HomeAccountID != alice || got[0].Realm != tenant || got[0].AuthorityType != "MSSTS" {
			t.Errorf("%s: accounts %+v", name, got)
		}
		if n := c.RemoveAccount(c.Accounts()[0], goldenApp); n < 4 || bytes.Contains(c.Serialize(), []byte(alice)) {
			t.Errorf("%s: %d entries removed, and some are left", name, n)
		}
	}
}

func TestGoldenReadable(t *testing.T) {
	t.Parallel()
	data := golden(t, "msal-go.json")
	if out, err := Readable(data); err != nil || !bytes.Equal(out, data) {
		t.Errorf("MSAL Go can't read its own cache: %v", err)
	}
	out, err := Readable(golden(t, "msal-python.json"))
	if err != nil || bytes.Contains(out, []byte("RT-alice-0")) || !bytes.Contains(out, []byte("RT-alice-1")) {
		t.Errorf("not the newest refresh token: %v", err)
	}
}

// MSAL Go writes every entry of Python's cache with other bytes, even where
// nothing changed.
func TestGoldenRewrittenByGoIsNoChange(t *testing.T) {
	t.Parallel()
	python := golden(t, "msal-python.json")
	base, err := Readable(python)
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range []Op{OpAcquire, OpSilent, OpRemove} {
		out, changed, err := Merge(base, golden(t, "msal-python-rewritten-by-go.json"), python, op)
		if err != nil || changed || !bytes.Equal(out, python) {
			t.Errorf("%v: changed %v, %v", op, changed, err)
		}
	}
}

// A sign-in by MSAL Go into Python's cache takes over Python's entries, and
// leaves them as Python finds them again: its keys, and the fields that it
// makes them from.
func TestGoldenGoSignsInToPythonsCache(t *testing.T) {
	t.Parallel()
	python := golden(t, "msal-python.json")
	base, err := Readable(python)
	if err != nil {
		t.Fatal(err)
	}
	out := mustMerge(t, base, merged(t, base, golden(t, "msal-go.json")), python, OpAcquire)
	text := parseText(out)
	var tokens []string
	for key, raw := range text["RefreshToken"] {
		f := factsOf(raw)
		if f.home != alice {
			continue
		}
		tokens = append(tokens, secretOf(raw))
		if want := strings.ToLower(alice + "-" + public + "-RefreshToken-" + f.client + "--" + f.target); key != want {
			t.Errorf("Python computes another key:\n%s\n%s", key, want)
		}
	}
	if diff := cmp.Diff([]string{"GO-RT-a-1"}, tokens); diff != "" {
		t.Error(diff)
	}
	if n := len(text["IdToken"]); n != 2 {
		t.Errorf("%d ID tokens of two people", n)
	}
	if !bytes.Contains(out, []byte(`"account_source"`)) || !bytes.Contains(out, []byte(`"home_account_id": null`)) {
		t.Error("fields of Python's are lost")
	}
}

// merged is what MSAL Go holds after it read a cache and added entries: its
// own keys beside the old ones.
func merged(t *testing.T, base, added []byte) []byte {
	t.Helper()
	text := parseText(base)
	for name, section := range parseText(added) {
		for key, raw := range section {
			text[name][key] = raw
		}
	}
	return formatText(text)
}
