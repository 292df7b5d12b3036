package tokencache

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// New refresh and ID tokens under MSAL Go's keys are stored under those that
// MSAL Python computes when it removes them; everything else under its own.
func TestMergeStoresUnderPythonsKeys(t *testing.T) {
	t.Parallel()
	const refresh, id = "h-" + public + "-refreshtoken-", "h-" + public + "-idtoken-c-tenant"
	for name, c := range map[string]struct {
		ours, theirs []byte
		section      string
		want         string
	}{
		"refresh token":                {doc(rt("H", "C", "1")), nil, "RefreshToken", refresh + "c--"},
		"with a target":                {doc(rt("h", "c", "1").with("target", "B a")), nil, "RefreshToken", refresh + "c--b a"},
		"of a family":                  {doc(rt("h", "1", "1").with("family_id", "1").with("client_id", "c")), nil, "RefreshToken", refresh + "c--"},
		"ID token":                     {doc(idt("h", "c", 1)), nil, "IdToken", id + "-"},
		"under MSAL.NET's key":         {doc(rt("h", "c", "1").at(refresh + "c--")), nil, "RefreshToken", refresh + "c--"},
		"under an unknown key":         {doc(rt("h", "c", "1").at("k")), nil, "RefreshToken", "k"},
		"stored under Go's already":    {doc(rt("h", "c", "1")), doc(rt("h", "c", "0")), "RefreshToken", refresh + "c"},
		"ours holds Python's key":      {doc(rt("h", "c", "1"), rt("h", "c", "2").at(refresh+"c--")), nil, "RefreshToken", refresh + "c " + refresh + "c--"},
		"another thing is at that key": {doc(rt("h", "c", "1")), doc(rt("x", "c", "0").at(refresh + "c--")), "RefreshToken", refresh + "c-- " + refresh + "c---"},
		"access token":                 {doc(at("h", "c", "b a", "1", 1)), nil, "AccessToken", "h-" + public + "-accesstoken-c-tenant-b a"},
		"account":                      {doc(account("h")), nil, "Account", "h-" + public + "-tenant"},
		"nobody's":                     {doc(rt("h", "", "1").written(`{"x":1}`)), nil, "RefreshToken", refresh},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := parseText(mustMerge(t, nil, c.ours, c.theirs, OpAcquire))
			if got := strings.Join(slices.Sorted(maps.Keys(out[c.section])), " "); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
