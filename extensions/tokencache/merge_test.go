package tokencache

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

type mergeCase struct {
	name               string
	op                 Op
	base, ours, theirs []byte
	want               []byte // nil: theirs, unchanged
}

func runMerges(t *testing.T, cases []mergeCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out, changed, err := Merge(c.base, c.ours, c.theirs, c.op)
			if err != nil {
				t.Fatal(err)
			}
			want := c.want
			if want == nil {
				want = c.theirs
			}
			if diff := diffMeaning(t, want, out); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if changed != (c.want != nil) {
				t.Errorf("changed = %v", changed)
			}
			checkMerged(t, c.base, c.ours, c.theirs, out, changed, c.op)
		})
	}
}

// checkMerged checks what holds for every merge.
func checkMerged(t *testing.T, base, ours, theirs, out []byte, changed bool, op Op) {
	t.Helper()
	if !changed && string(out) != string(theirs) {
		t.Errorf("unchanged, but other bytes:\n%s\n%s", theirs, out)
	}
	if changed && !json.Valid(out) {
		t.Errorf("invalid JSON: %s", out)
	}
	again, changed, err := Merge(base, ours, out, op)
	if err != nil || changed {
		t.Errorf("merged again: changed %v, error %v\n%s", changed, err, diffMeaning(t, out, again))
	}
}

func TestMergeAdditions(t *testing.T) {
	t.Parallel()
	alice, bob, carol := signIn("alice", "c", "1"), signIn("bob", "c", "1"), signIn("carol", "c", "1")
	appToken := at("", "c", ".default", "app", 9000)
	runMerges(t, []mergeCase{
		{name: "nothing anywhere"},
		{name: "first sign-in", ours: doc(alice...), want: doc(alice...)},
		{
			name: "two sign-ins at once", base: doc(alice...), ours: doc(slices.Concat(alice, bob)...),
			theirs: doc(slices.Concat(alice, carol)...), want: doc(slices.Concat(alice, bob, carol)...),
		},
		{name: "only others wrote", base: doc(alice...), ours: doc(alice...), theirs: doc(slices.Concat(alice, bob)...)},
		{name: "others signed out", base: doc(slices.Concat(alice, bob)...), ours: doc(slices.Concat(alice, bob)...), theirs: doc(bob...)},
		{name: "store emptied by others", base: doc(alice...), ours: doc(alice...)},
		{name: "same sign-in already there", ours: doc(alice...), theirs: doc(alice...)},
		{name: "app token", op: OpSilent, ours: doc(appToken), want: doc(appToken)},
		{name: "app token renewed", op: OpSilent, base: doc(appToken), ours: doc(appToken.with("secret", "new")), theirs: doc(appToken), want: doc(appToken.with("secret", "new"))},
	})
}

func TestMergeConflicts(t *testing.T) {
	t.Parallel()
	b := at("h", "c", "s", "old", 100)
	family := app("c").with("family_id", "1")
	acc := account("h")
	runMerges(t, []mergeCase{
		{name: "access token: theirs expires later", base: doc(b), ours: doc(at("h", "c", "s", "ours", 200)), theirs: doc(at("h", "c", "s", "theirs", 300))},
		{name: "access token: ours expires later", base: doc(b), ours: doc(at("h", "c", "s", "ours", 300)), theirs: doc(at("h", "c", "s", "theirs", 200)), want: doc(at("h", "c", "s", "ours", 300))},
		{name: "access token: cached later", base: doc(b), ours: doc(at("h", "c", "s", "ours", 300)), theirs: doc(at("h", "c", "s", "theirs", 300).with("cached_at", "1001"))},
		{name: "access token: all equal", base: doc(b), ours: doc(at("h", "c", "s", "ours", 300)), theirs: doc(at("h", "c", "s", "theirs", 300)), want: doc(at("h", "c", "s", "ours", 300))},
		{name: "access token: untouched by others, shorter than before", base: doc(b), ours: doc(at("h", "c", "s", "ours", 50)), theirs: doc(b), want: doc(at("h", "c", "s", "ours", 50))},
		{name: "access token: theirs unreadable time", ours: doc(at("h", "c", "s", "ours", 50)), theirs: doc(b.with("expires_on", json.RawMessage("null"))), want: doc(at("h", "c", "s", "ours", 50))},
		{name: "ID token: theirs issued later", base: doc(idt("h", "c", 1)), ours: doc(idt("h", "c", 2)), theirs: doc(idt("h", "c", 3))},
		{name: "ID token: ours issued later", base: doc(idt("h", "c", 1)), ours: doc(idt("h", "c", 3)), theirs: doc(idt("h", "c", 2)), want: doc(idt("h", "c", 3))},
		{name: "ID token: no time in it", base: doc(idt("h", "c", 1)), ours: doc(idt("h", "c", 1).with("secret", "a.b.c")), theirs: doc(idt("h", "c", 1).with("secret", "x")), want: doc(idt("h", "c", 1).with("secret", "a.b.c"))},
		{
			name: "account: union", base: doc(acc), ours: doc(acc.with("username", "new@example.com").with("name", "")),
			theirs: doc(acc.with("account_source", "device_code").with("name", "N")),
			want:   doc(acc.with("account_source", "device_code").with("name", "N").with("username", "new@example.com")),
		},
		{
			name: "account rewritten from scratch keeps foreign fields", base: doc(acc.with("wam_account_ids", map[string]any{"a": 1})),
			ours: doc(acc), theirs: doc(acc.with("wam_account_ids", map[string]any{"a": 1})),
		},
		{name: "app metadata: family is learnt", base: doc(app("c")), ours: doc(family), theirs: doc(app("c")), want: doc(family)},
		{name: "app metadata: family isn't forgotten", base: doc(family), ours: doc(app("c")), theirs: doc(family)},
		{name: "app metadata: never deleted", base: doc(family), ours: doc(), theirs: doc(family)},
		{name: "app metadata: added again", base: doc(app("c")), ours: doc(family), theirs: doc(), want: doc(family)},
		{name: "deleted by ours, changed by others", base: doc(b), ours: doc(), theirs: doc(at("h", "c", "s", "theirs", 300)), want: doc()},
		{name: "deleted by ours, under another key in theirs", base: doc(b), ours: doc(), theirs: doc(b.at("other")), want: doc()},
		{name: "one of two deleted by ours", base: doc(b, b.at("2")), ours: doc(b.at("2")), theirs: doc(b, b.at("2")), want: doc(b.at("2"))},
		{name: "access token: takes no fields of the old one", base: doc(b), ours: doc(at("h", "c", "s", "ours", 300)), theirs: doc(b.with("ext_expires_on", "9")), want: doc(at("h", "c", "s", "ours", 300))},
		{name: "deleted by both", base: doc(b), ours: doc(), theirs: doc()},
	})
}

func TestMergeRefreshTokenRotation(t *testing.T) {
	t.Parallel()
	acc := account("h")
	rt0, rt1, rtX := rt("h", "c", "rt0"), rt("h", "c", "rt1"), rt("h", "c", "rtX")
	python := func(p part, scopes string) part {
		return p.at(p.key+"--"+scopes).with("target", scopes).with("last_modification_time", "500")
	}
	runMerges(t, []mergeCase{
		{name: "rotated by ours", op: OpSilent, base: doc(acc, rt0), ours: doc(acc, rt1), theirs: doc(acc, rt0), want: doc(acc, rt1)},
		{name: "rotated by both", op: OpSilent, base: doc(acc, rt0), ours: doc(acc, rt1), theirs: doc(acc, rtX), want: doc(acc, rt1)},
		{name: "rotated by others", op: OpSilent, base: doc(acc, rt0), ours: doc(acc, rt0), theirs: doc(acc, rtX)},
		{
			name: "Python's entry is taken over under its key", op: OpSilent, base: doc(acc, python(rt0, "a")),
			ours: doc(acc, python(rt0, "a"), rt1), theirs: doc(acc, python(rt0, "a")), want: doc(acc, python(rt1, "a")),
		},
		{
			name: "superseded duplicates go", op: OpSilent, base: doc(acc, rt0, python(rt0, "a"), python(rtX, "b")),
			ours: doc(acc, rt1, python(rt0, "a"), python(rtX, "b")), theirs: doc(acc, rt0, python(rt0, "a"), python(rtX, "b")), want: doc(acc, rt1),
		},
		{
			name: "a duplicate that came later stays", op: OpSilent, base: doc(acc, rt0), ours: doc(acc, rt1),
			theirs: doc(acc, rt0, python(rtX, "0")), want: doc(acc, rt1, python(rtX, "0")),
		},
		{
			name: "an undated duplicate goes", op: OpSilent, base: doc(acc, python(rt0, "a")), ours: doc(acc, python(rt1, "a")),
			theirs: doc(acc, python(rt0, "a"), rtX.at("0")), want: doc(acc, python(rt1, "a")),
		},
		{
			name: "a token for an assertion is another", ours: doc(rt1.at("k").with("user_assertion_hash", "x")),
			theirs: doc(rt0), want: doc(rt0, rt1.at("k").with("user_assertion_hash", "x")),
		},
		{
			name: "an older one that the library wasn't given goes", op: OpSilent, base: doc(acc, python(rt0, "a")), ours: doc(acc, python(rt0, "a"), rt1),
			theirs: doc(acc, python(rtX, "0").with("last_modification_time", "499"), python(rt0, "a")), want: doc(acc, python(rt1, "a")),
		},
		{
			name: "same token again deletes nothing", op: OpSilent, base: doc(acc, rt0, python(rt0, "a")),
			ours: doc(acc, rt0.with("x", "y"), python(rt0, "a")), theirs: doc(acc, rt0, python(rt0, "a")),
			want: doc(acc, rt0.with("x", "y"), python(rt0, "a")),
		},
		{
			name: "a client's token isn't a family's", base: doc(acc, rt0), ours: doc(acc, rt0, rt1.at("k").with("family_id", "1")),
			theirs: doc(acc, rt0), want: doc(acc, rt0, rt1.at("k").with("family_id", "1")),
		},
		{name: "removed by others as invalid, account still there", op: OpSilent, base: doc(acc, rt0), ours: doc(acc, rt1), theirs: doc(acc), want: doc(acc, rt1)},
	})
}

func TestMergeDatesRefreshTokens(t *testing.T) {
	t.Parallel()
	acc := account("h")
	for _, c := range []struct {
		name         string
		ours, theirs part
		token        []part
		want         any
	}{
		{"from the access token that came with it", rt("h", "c", "new"), rt("h", "c", "old"), []part{at("h", "c", "s", "x", 9)}, "1000"},
		{"after the one it replaces", rt("h", "c", "new"), rt("h", "c", "old").with("last_modification_time", "7000"), []part{at("h", "c", "s", "x", 9)}, "7001"},
		{"without any time", rt("h", "c", "new"), rt("h", "c", "old"), nil, nil},
		{"number", rt("h", "c", "new"), rt("h", "c", "old").with("last_modification_time", 7), nil, "8"},
		{"same token keeps its date", rt("h", "c", "old").with("x", "y"), rt("h", "c", "old").with("last_modification_time", "7000"), nil, "7000"},
		{"far future", rt("h", "c", "new"), rt("h", "c", "old").with("last_modification_time", "1000000000000000000"), []part{at("h", "c", "s", "x", 9)}, "1000"},
		{"absurd time", rt("h", "c", "new"), rt("h", "c", "old").with("last_modification_time", "9223372036854775807"), []part{at("h", "c", "s", "x", 9)}, "1000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ours := doc(append(c.token, acc, c.ours)...)
			out, _, err := Merge(doc(acc, c.theirs), ours, doc(acc, c.theirs), OpSilent)
			if err != nil {
				t.Fatal(err)
			}
			var got map[string]map[string]map[string]any
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatal(err)
			}
			if stamp := got["RefreshToken"][c.theirs.key]["last_modification_time"]; stamp != c.want {
				t.Errorf("stamp = %v, want %v", stamp, c.want)
			}
			checkMerged(t, doc(acc, c.theirs), ours, nil, out, true, OpSilent)
		})
	}
}

func TestMergeSignOut(t *testing.T) {
	t.Parallel()
	alice, bob := signIn("alice", "c", "1"), signIn("bob", "c", "1")
	both := doc(slices.Concat(alice, bob)...)
	rest := slices.Concat(bob, []part{app("c")})
	alias := account("alice").at("other").with("environment", "login.windows.net")
	runMerges(t, []mergeCase{
		{name: "plain", base: both, ours: doc(rest...), theirs: both, want: doc(rest...)},
		{name: "says so", op: OpRemove, base: both, ours: doc(rest...), theirs: both, want: doc(rest...)},
		{
			name: "rotated and added meanwhile", base: both, ours: doc(rest...),
			theirs: doc(slices.Concat(bob, signIn("alice", "c", "2"), []part{at("alice", "c", "mail.read", "x", 9), idt("alice", "d", 5)})...),
			want:   doc(rest...),
		},
		{
			name: "in every tenant and under every alias", base: doc(slices.Concat(alice, []part{alias})...), ours: doc(app("c"), alias),
			theirs: doc(slices.Concat(alice, []part{alias, rt("alice", "c", "y").at("w").with("environment", "sts.windows.net"), account("alice").at("t").with("realm", "t2")})...),
			want:   doc(app("c")),
		},
		{
			name: "another client's refresh token stays", base: doc(slices.Concat(alice, []part{rt("alice", "other", "o")})...),
			ours: doc(app("c"), rt("alice", "other", "o")), theirs: doc(slices.Concat(alice, []part{rt("alice", "other", "o2")})...),
			want: doc(app("c"), rt("alice", "other", "o2")),
		},
		{
			name: "a family's refresh token goes", base: doc(alice...), ours: doc(app("c")),
			theirs: doc(append(alice, rt("alice", "1", "f").with("family_id", "1").with("client_id", "other"))...), want: doc(app("c")),
		},
		{
			name: "refresh token added since", base: doc(account("alice"), app("c")), ours: doc(app("c")),
			theirs: doc(account("alice"), app("c"), rt("alice", "c", "n"), rt("alice", "unseen", "n")), want: doc(app("c"), rt("alice", "unseen", "n")),
		},
		{
			name: "a seen client that didn't sign out", base: doc(append(alice, at("alice", "d", "s", "x", 1))...), ours: doc(app("c")),
			theirs: doc(append(alice, rt("alice", "d", "n"))...), want: doc(app("c"), rt("alice", "d", "n")),
		},
		{
			name: "another client's refresh token stays, none of ours was there", base: doc(account("alice"), rt("alice", "other", "o")),
			ours: doc(rt("alice", "other", "o")), theirs: doc(account("alice"), rt("alice", "other", "o")), want: doc(rt("alice", "other", "o")),
		},
		{
			name: "refresh token under an alias goes", base: doc(account("alice"), rt("alice", "c", "o").with("environment", "sts.windows.net")),
			ours:   doc(rt("alice", "c", "o").with("environment", "sts.windows.net")),
			theirs: doc(account("alice"), rt("alice", "c", "o").with("environment", "sts.windows.net")), want: doc(),
		},
		{name: "another cloud stays", base: both, ours: doc(rest...), theirs: doc(append(rest, account("alice").at("us").with("environment", "login.microsoftonline.us"))...)},
		{
			name: "another realm of the person is added by ours", base: doc(account("alice")), ours: doc(account("alice").at("t2").with("realm", "t2")),
			theirs: doc(account("alice"), rt("alice", "c", "1")), want: doc(account("alice").at("t2").with("realm", "t2"), rt("alice", "c", "1")),
		},
	})
}

func TestMergeAfterSignOutElsewhere(t *testing.T) {
	t.Parallel()
	alice, bob, renewed := signIn("alice", "c", "1"), signIn("bob", "c", "1"), signIn("alice", "c", "2")
	base := doc(slices.Concat(alice, bob)...)
	ours := doc(slices.Concat(renewed, bob)...)
	signedOut := doc(append(bob, app("c"))...)
	foreign := rt("alice", "other", "o")
	runMerges(t, []mergeCase{
		{name: "refresh doesn't sign in again", op: OpSilent, base: base, ours: ours, theirs: signedOut},
		{name: "refresh that read after the sign-out", op: OpSilent, base: signedOut, ours: ours, theirs: signedOut},
		{name: "refresh, store emptied", op: OpSilent, base: base, ours: ours},
		{name: "refresh, another client's token left", op: OpSilent, base: base, ours: ours, theirs: doc(append(bob, foreign)...)},
		{
			name: "refresh without accounts, as some libraries store", op: OpSilent, base: doc(alice[1]), ours: doc(renewed[0], renewed[1]),
			theirs: doc(alice[1]), want: doc(renewed[0], renewed[1]),
		},
		{
			name: "refresh of a family's token", op: OpSilent, base: doc(foreign.with("family_id", "1")), ours: doc(renewed[0], foreign.with("family_id", "1")),
			theirs: doc(foreign.with("family_id", "1")), want: doc(renewed[0], foreign.with("family_id", "1")),
		},
		{name: "an account alone", op: OpSilent, base: doc(foreign), ours: doc(foreign, alice[3]), theirs: doc(foreign), want: doc(foreign, alice[3])},
		{
			name: "sign-in leaves an account that others hold under another key", base: doc(alice[3]), ours: doc(renewed[0], alice[3]),
			theirs: doc(alice[3].at("k").with("username", "new")), want: doc(renewed[0], alice[3].at("k").with("username", "new")),
		},
		{
			name: "sign-in keeps its family's token", base: doc(foreign.with("family_id", "1")),
			ours: doc(renewed[0], foreign.with("family_id", "1")), want: doc(renewed[0], foreign.with("family_id", "1")),
		},
		{
			name: "sign-in brings back no other access token", base: doc(append(alice, at("alice", "c", "mail.read", "x", 9))...),
			ours: doc(append(renewed, at("alice", "c", "mail.read", "x", 9))...), want: doc(renewed...),
		},
		{name: "sign-in wins, with its unchanged account", op: OpAcquire, base: base, ours: ours, theirs: signedOut, want: ours},
		{name: "sign-in wins over an emptied store", op: OpAcquire, base: doc(alice...), ours: doc(renewed...), want: doc(renewed...)},
		{name: "sign-in brings back nobody else", op: OpAcquire, base: base, ours: ours, want: doc(renewed...)},
		{
			name: "sign-in brings back no other client's tokens", op: OpAcquire, base: doc(append(alice, foreign)...),
			ours: doc(append(renewed, foreign)...), theirs: doc(app("c")), want: doc(renewed...),
		},
		{
			name: "app token is never guarded", op: OpSilent, base: base, theirs: signedOut,
			ours: doc(slices.Concat(renewed, bob, []part{at("", "c", ".default", "a", 9)})...),
			want: doc(append(bob, app("c"), at("", "c", ".default", "a", 9))...),
		},
	})
}

func TestMergeIdentity(t *testing.T) {
	t.Parallel()
	sorted := at("h", "c", "a b", "old", 100)
	mixed := at("H", "C", "B a", "new", 200).at("go-key")
	alias := sorted.at("dotnet-key").with("environment", "login.windows.net").with("token_type", nil)
	pop := sorted.with("token_type", "pop")
	appNull := at("", "c", "s", "old", 100).with("home_account_id", json.RawMessage("null"))
	runMerges(t, []mergeCase{
		{
			name: "scope order and letter case", base: doc(sorted), ours: doc(sorted, mixed), theirs: doc(sorted),
			want: doc(mixed.at(sorted.key).with("target", "a b")),
		},
		{
			name: "alias and missing token type", ours: doc(sorted.with("secret", "new").with("expires_on", "200")), theirs: doc(alias),
			want: doc(alias.with("secret", "new").with("expires_on", "200").with("token_type", "Bearer")),
		},
		{name: "proof of possession beside bearer, same key", ours: doc(sorted), theirs: doc(pop), want: doc(pop, sorted.at(sorted.key+"-"))},
		{name: "other identity under the same key, by ours", base: doc(pop), ours: doc(sorted), theirs: doc(pop), want: doc(sorted)},
		{name: "ext_cache_key differs", ours: doc(sorted.at("k").with("ext_cache_key", "x")), theirs: doc(sorted), want: doc(sorted, sorted.at("k").with("ext_cache_key", "x"))},
		{name: "another realm", ours: doc(sorted.at("k").with("realm", "r")), theirs: doc(sorted), want: doc(sorted, sorted.at("k").with("realm", "r"))},
		{
			name: "Python's app token keeps its null", base: doc(appNull), ours: doc(appNull.with("home_account_id", nil).with("secret", "new")),
			theirs: doc(appNull), want: doc(appNull.with("secret", "new")),
		},
		{
			name: "rewritten by MSAL Go without a change", base: doc(appNull.with("expires_on", 100).with("name", "")),
			ours: doc(appNull.with("home_account_id", nil)), theirs: doc(appNull.with("expires_on", 100).with("name", "")),
		},
		{name: "renamed key", base: doc(sorted.at("H-Old")), ours: doc(sorted), theirs: doc(sorted.at("H-Old"))},
		{name: "renamed key and new token", base: doc(sorted.at("H-Old")), ours: doc(sorted.with("secret", "n")), theirs: doc(sorted.at("H-Old")), want: doc(sorted.at("H-Old").with("secret", "n"))},
		{
			name: "keys and identities crossed", ours: doc(at("x", "c", "s", "1", 1).at("a"), at("y", "c", "s", "2", 2).at("b")),
			theirs: doc(at("x", "c", "s", "0", 0).at("b")), want: doc(at("x", "c", "s", "1", 1).at("b"), at("y", "c", "s", "2", 2).at("b-")),
		},
		{
			name: "two of one identity deleted", base: doc(sorted, sorted.at("2")), ours: doc(), theirs: doc(sorted, sorted.at("2")), want: doc(),
		},
	})
}

func TestMergeKeepsWhatNobodyCanRead(t *testing.T) {
	t.Parallel()
	poison := []part{
		{section: "Account", key: "null", raw: "null"},
		{section: "Account", key: "empty", raw: "{}"},
		{section: "RefreshToken", key: "list", raw: "[1, 2]"},
		at("p", "c", "s", "x", 1).with("expires_on", json.RawMessage("null")),
		at("q", "c", "s", "x", 1).with("cached_at", 1.5),
	}
	alice := signIn("alice", "c", "1")
	all := slices.Concat(alice, poison)
	taken := account("alice").written("null")
	runMerges(t, []mergeCase{
		{name: "withheld from the library", base: doc(), ours: doc(alice...), theirs: doc(poison...), want: doc(all...)},
		{name: "given to the library, not handed back", base: doc(poison[:3]...), ours: doc(alice...), theirs: doc(poison...), want: doc(all...)},
		{name: "sign-out", base: doc(alice...), ours: doc(app("c")), theirs: doc(all...), want: doc(append(poison, app("c"))...)},
		{name: "both unreadable", ours: doc(account("k").written(`{"x":1}`)), theirs: doc(account("k").written("null"))},
		{
			name: "unreadable at the key of a good one, merged twice", ours: doc(account("k").written(`{"x":1}`)), theirs: doc(account("k")),
			want: doc(account("k"), account("k").at(account("k").key+"-").written(`{"x":1}`)),
		},
		{name: "unreadable and new", ours: doc(account("k").written(`{"x":1}`)), want: doc(account("k").written(`{"x":1}`))},
		{name: "at the key of a new entry", ours: doc(account("alice")), theirs: doc(taken), want: doc(account("alice"))},
	})
}

func TestMergeLeavesUnknownSectionsToOthers(t *testing.T) {
	t.Parallel()
	theirs := []byte(`{"X": {"a" : [1, "ü"]}, "Account": null, "Z": 1e2 }`)
	out, changed, err := Merge([]byte(`{"X":1,"Y":1}`), []byte(`{"X":2,"Z":3,"Account":{"k":{"home_account_id":"Zoë😀","environment":"e"}}}`), theirs, OpAcquire)
	if err != nil || !changed {
		t.Fatal(changed, err)
	}
	want := `{"X": {"a" : [1, "ü"]}, "Account": {"k":{"home_account_id":"Zo\u00eb\ud83d\ude00","environment":"e"}}, "Z": 1e2 }`
	if string(out) != want {
		t.Errorf("got  %s\nwant %s", out, want)
	}
}

func TestMergeRefusesMalformedInput(t *testing.T) {
	t.Parallel()
	// MSAL Go writes this for an entry without any field.
	broken, good := []byte(`{"Account":{"secret-home":}}`), doc(account("h"))
	for name, in := range map[string][3][]byte{
		"base": {broken, good, good}, "ours": {good, broken, good}, "theirs": {good, good, broken},
	} {
		out, changed, err := Merge(in[0], in[1], in[2], OpAcquire)
		e, ok := errors.AsType[*SyntaxError](err)
		if !ok || !errors.Is(err, ErrMalformed) || e.Input != name || out != nil || changed {
			t.Errorf("%s: %q %v %v", name, out, changed, err)
		}
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error quotes the input: %v", name, err)
		}
	}
}
