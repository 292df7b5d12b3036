package msal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal/msaltest"
)

type ctxt = context.Context

var quiet = &persist.CacheOptions{OnError: func(error) {}}

// TestDefectsOfTheCache: what MSAL makes of a cache that other programs, or
// other versions of it, have written as well.
func TestDefectsOfTheCache(t *testing.T) {
	t.Parallel()
	testDefects(t, []defect{
		{"an older refresh token under another key", nil, staleDuplicate, "an older one was sent", "the newest was sent"},
		{"an expired token beside one that is good", nil, expiredBeside, "refreshed", "from the cache"},
		{"on behalf of, with a cache", nil, onBehalfTwice, "the second call fails", "both calls"},
		{"application token of MSAL Python", nil, pythonsAppToken, "changed", "as it was"},
		{"fields of others in a refreshed entry", refreshing, foreignFields, "lost", "kept"},
		{"a time is null", nil, poisoned(0), "locked out", "signed in, the entry is kept"},
		{"a time is empty", nil, poisoned(1), "locked out", "signed in, the entry is kept"},
		{"a time is a fraction", nil, poisoned(2), "locked out", "signed in, the entry is kept"},
		{"an entry is null", nil, poisoned(3), "locked out", "signed in, the entry is kept"},
		{"an entry is a list", nil, poisoned(4), "locked out", "signed in, the entry is kept"},
		{"an entry is empty", nil, poisoned(5), "the cache is destroyed", "signed in, the entry is kept"},
		{"an entry has empty fields", nil, poisoned(6), "the cache is destroyed", "signed in, the entry is kept"},
		{"control characters in a key", nil, poisoned(7), "the cache is destroyed", "signed in, the entry is kept"},
		{"control characters in a field's name", nil, poisoned(8), "the cache is destroyed", "signed in, the entry is kept"},
		{"a field that is named as in MSAL's struct", nil, poisoned(9), "signed in, the entry is changed", "signed in, the entry is kept"},
		{"a section that is named so", nil, poisoned(10), "locked out", "signed in, the entry is kept"},
		{"a field AdditionalFields", nil, poisoned(11), "signed in, the entry is changed", "signed in, the entry is kept"},
		{"bytes behind the cache", nil, bytesBehind, "taken for good, and written over", "reported, and kept"},
	})
}

// poisoned is what comes of a sign-in beside an entry of poison.
func poisoned(i int) func(*side) string {
	return func(s *side) string {
		s.signIn(s.world.client(), alice)
		p, all := poison[i], s.sections()
		if all[p.section] == nil {
			all[p.section] = map[string]json.RawMessage{}
		}
		all[p.section][p.key] = json.RawMessage(p.entry)
		s.storeJSON(all)
		client := s.client()
		if _, err := client.Accounts(s.Context()); err != nil {
			return "locked out"
		}
		s.signIn(client, bob)
		if !json.Valid(s.stored()) {
			return "the cache is destroyed"
		}
		if !strings.Contains(s.world.people(), alice+" "+bob) {
			return "lost"
		}
		if string(s.sections()[p.section][p.key]) != p.entry {
			return "signed in, the entry is changed"
		}
		return "signed in, the entry is kept"
	}
}

// staleDuplicate asks often, since MSAL takes what its map gives it first.
func staleDuplicate(s *side) string {
	var issued []string
	for range libraries {
		issued = append(issued, s.refreshTokenOf(alice))
	}
	for round := range 30 {
		ages := allAges[round%len(allAges)]
		s.path = filepath.Join(s.TempDir(), "cache")
		if err := os.WriteFile(s.path, duplicated(issued, ages), 0o600); err != nil {
			s.Fatal(err)
		}
		client := s.over("https://login.microsoftonline.com/"+msaltest.DefaultTenant, s.srv.CloudClient(), true)
		if got := s.silently(client, fmt.Sprint("Scope.", round), s.account(client, alice)); got != "refreshed" {
			s.Fatal(got)
		}
		sent := s.srv.Requests(msaltest.KindTokenRefresh)
		newest := issued[slices.Index(ages, len(libraries)-1)]
		if sent[len(sent)-1].Form.Get("refresh_token") != newest {
			return "an older one was sent"
		}
	}
	return "the newest was sent"
}

// expiredBeside: a person has consented to more since.
func expiredBeside(s *side) string {
	client := s.client()
	account := s.signIn(client, alice).Account
	if _, err := client.AcquireTokenSilent(s.Context(), []string{"User.Read", "Mail.Read"}, public.WithSilentAccount(account)); err != nil {
		s.Fatal(err)
	}
	s.leaveExpired("User.Read")
	for range 30 {
		if got := s.silently(s.client(), scopes[0], account); got != "from the cache" {
			return got
		}
	}
	return "from the cache"
}

func onBehalfTwice(s *side) string {
	caller := s.signIn(s.publicAlone(), bob)
	client := s.confidential()
	for i := range 2 {
		if _, err := client.AcquireTokenOnBehalfOf(s.Context(), caller.AccessToken, []string{fmt.Sprint("Scope.", i)}); err != nil {
			return [...]string{"the first call fails", "the second call fails"}[i]
		}
	}
	return "both calls"
}

// pythonsAppToken is an entry that MSAL Python finds by a field that is null.
func pythonsAppToken(s *side) string {
	const entry = `{"home_account_id":null,"environment":"login.microsoftonline.com","client_id":"app","secret":"s","target":"x/.default",` +
		`"realm":"t","credential_type":"AccessToken","token_type":"Bearer","cached_at":"1700000000","expires_on":"4000000000","extended_expires_on":"4000000000"}`
	s.storeJSON(sections{"AccessToken": {"-login.microsoftonline.com-accesstoken-app-t-x/.default": json.RawMessage(entry)}})
	s.signIn(s.client(), alice)
	for _, e := range s.sections()["AccessToken"] {
		if string(e) == entry {
			return "as it was"
		}
	}
	return "changed"
}

// foreignFields has MSAL write an entry anew to which another library added
// fields.
func foreignFields(s *side) string {
	account := s.signIn(s.world.client(), alice).Account
	all := s.sections()
	for key, e := range all["Account"] {
		all["Account"][key] = json.RawMessage(strings.Replace(string(e), "{", `{"account_source":"broker","wam_account_ids":{"c":"1"},`, 1))
	}
	s.storeJSON(all)
	if got := s.silently(s.client(), scopes[0], account); got != "refreshed" {
		s.Fatal(got)
	}
	for _, e := range s.sections()["Account"] {
		if !strings.Contains(string(e), `"account_source":"broker"`) || !strings.Contains(string(e), "wam_account_ids") {
			return "lost"
		}
	}
	return "kept"
}

// bytesBehind is what a longer cache leaves behind a shorter one.
func bytesBehind(s *side) string {
	s.signIn(s.world.client(), alice)
	torn := string(s.stored()) + `cret":"x"}}}`
	s.store([]byte(torn))
	client := s.clientWith(plainFile{s.path})
	told := 0
	if s.ours {
		c, _ := s.cache(&persist.CacheOptions{OnError: func(error) { told++ }})
		client = s.clientOf(c)
		s.Cleanup(func() { s.store(nil) }) // what waits for the cache can be stored
	}
	s.signIn(client, bob)
	switch {
	case string(s.stored()) != torn:
		return "taken for good, and written over"
	case told == 0:
		return "kept"
	}
	return "reported, and kept"
}

// TestDefectPastRefreshOn: before 1.10.1, MSAL redeemed the application's own
// credential where a person's token was due, and returned an application's
// token.
func TestDefectPastRefreshOn(t *testing.T) {
	t.Parallel()
	opts := &msaltest.Options{ExpiresIn: msaltest.DefaultExpiresIn, RefreshIn: msaltest.DefaultExpiresIn / 2}
	testDefects(t, []defect{{"confidential client, silent", opts, pastRefreshOn, alice, alice}})
}

func pastRefreshOn(s *side) string {
	user := s.byCode(s.confidential())
	all := s.sections()
	for key, e := range all["AccessToken"] {
		var fields map[string]any
		if err := json.Unmarshal(e, &fields); err != nil {
			s.Fatal(err)
		}
		fields["refresh_on"] = "1700000000"
		data, err := json.Marshal(fields)
		if err != nil {
			s.Fatal(err)
		}
		all["AccessToken"][key] = data
	}
	s.storeJSON(all)
	r, err := s.confidential().AcquireTokenSilent(s.Context(), scopes, confidential.WithSilentAccount(user.Account))
	if err != nil {
		return err.Error()
	}
	if r.Metadata.TokenSource == public.TokenSourceCache || s.srv.Count(msaltest.KindTokenRefresh) != 1 {
		return "not refreshed"
	}
	return r.Account.PreferredUsername
}
