package msaltest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal/msaltest"
)

func TestPasswordThenSilentWithoutRequest(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	client := newPublic(t, srv)
	first := signIn(t, srv, client, alice)
	if first.IDToken.Name != "alice" || first.IDToken.TenantID != msaltest.TenantID("contoso.example") {
		t.Errorf("ID token is %+v", first.IDToken)
	}
	before := srv.Counts()
	again, err := silently(t, client, first.Account)
	if err != nil {
		t.Fatal(err)
	}
	if again.AccessToken != first.AccessToken {
		t.Error("the silent call returned another token")
	}
	if n := srv.Count(msaltest.KindToken) - before[msaltest.KindToken]; n != 0 {
		t.Errorf("the silent call made %d token requests", n)
	}
	wantCounts(t, srv, map[msaltest.Kind]int{
		msaltest.KindUserRealm: 1, msaltest.KindDiscovery: 1,
		msaltest.KindToken: 1, msaltest.KindTokenPassword: 1, msaltest.KindTokenRefresh: 0,
	})
}

func TestPasswordRefused(t *testing.T) {
	t.Parallel()
	srv := start(t, nil)
	srv.AddUser(msaltest.User{Username: "Bob@contoso.example", Name: "Bob B.", Password: "his own"})
	tests := []struct {
		name, username, password string
		want                     []string
	}{
		{"wrong", alice, "guess", []string{"invalid_grant", "AADSTS50126", `"error_codes":[50126]`, `"correlation_id"`}},
		{"empty", alice, "", []string{"AADSTS50126"}},
		{"overridden", "bob@contoso.example", msaltest.DefaultPassword, []string{"AADSTS50126"}},
		{"no such user", "nobody", msaltest.DefaultPassword, []string{"AADSTS50034"}},
		{"only a domain", "@contoso.example", msaltest.DefaultPassword, []string{"AADSTS50034"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := byPassword(deadline(t), newPublic(t, srv), tt.username, tt.password)
			wantRefusal(t, err, tt.want...)
		})
	}
	if got := signIn(t, srv, newPublic(t, srv), "BOB@CONTOSO.example"); got.IDToken.Name != "Bob B." {
		t.Errorf("display name is %q, want %q", got.IDToken.Name, "Bob B.")
	}
}

// shortLived makes MSAL Go redeem a refresh token at each silent call.
func shortLived() *msaltest.Options { return &msaltest.Options{ExpiresIn: time.Minute} }

func TestRefreshRotates(t *testing.T) {
	t.Parallel()
	opts := shortLived()
	opts.SingleUseRefreshTokens = true
	srv := start(t, opts)
	client := newPublic(t, srv)
	account := signIn(t, srv, client, alice).Account
	for range 3 {
		if _, err := silently(t, client, account); err != nil {
			t.Fatal(err)
		}
	}
	var sent []string
	for _, r := range srv.Requests(msaltest.KindTokenRefresh) {
		sent = append(sent, r.Form.Get("refresh_token"))
	}
	slices.Sort(sent)
	if distinct := slices.Compact(slices.Clone(sent)); len(sent) != 3 || len(distinct) != 3 {
		t.Errorf("sent %d refresh tokens, %d of them distinct, want 3 and 3", len(sent), len(distinct))
	}
}

func TestRefreshTokenReused(t *testing.T) {
	t.Parallel()
	for name, single := range map[string]bool{"refused": true, "accepted by default": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts := shortLived()
			opts.SingleUseRefreshTokens = single
			srv := start(t, opts)
			cache := &snapshot{}
			client := newPublic(t, srv, public.WithCache(cache))
			account := signIn(t, srv, client, alice).Account
			stale := &snapshot{data: cache.bytes()}
			if _, err := silently(t, client, account); err != nil {
				t.Fatal(err)
			}
			_, err := silently(t, newPublic(t, srv, public.WithCache(stale)), account)
			if single {
				wantRefusal(t, err, "invalid_grant", "bad_token", "already redeemed")
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRefreshTokenRevoked(t *testing.T) {
	t.Parallel()
	srv := start(t, shortLived())
	client := newPublic(t, srv)
	account, other := signIn(t, srv, client, alice).Account, signIn(t, srv, client, "bob@contoso.example").Account
	srv.Revoke("Alice@contoso.example")
	_, err := silently(t, client, account)
	wantRefusal(t, err, "invalid_grant", "AADSTS50173")
	if _, err := silently(t, client, other); err != nil {
		t.Errorf("another user's token is gone, too: %v", err)
	}
	signIn(t, srv, client, alice)
	if _, err := silently(t, client, account); err != nil {
		t.Errorf("after signing in again: %v", err)
	}
}

func TestRefreshInMakesClientsRenewEarly(t *testing.T) {
	t.Parallel()
	srv := start(t, &msaltest.Options{RefreshIn: time.Hour})
	if got := signIn(t, srv, newPublic(t, srv), alice).Metadata.RefreshOn; time.Until(got) < 30*time.Minute {
		t.Errorf("refresh on %v, want in an hour", got)
	}
}

func TestRefreshTokenOfFamily(t *testing.T) {
	t.Parallel()
	for name, family := range map[string]string{"family": "1", "single client": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts := shortLived()
			opts.FamilyID = family
			srv := start(t, opts)
			client := newPublic(t, srv)
			account := signIn(t, srv, client, alice).Account
			if _, err := silently(t, client, account); err != nil {
				t.Fatal(err)
			}
			form := srv.Requests(msaltest.KindTokenRefresh)[0].Form
			status, body := postToken(t, srv, map[string]string{
				"grant_type": "refresh_token", "client_id": "another-client", "refresh_token": form.Get("refresh_token"),
			})
			if accepted := status == 200; accepted != (family != "") {
				t.Errorf("another client's request was answered %d: %s", status, body["error_description"])
			}
		})
	}
}
