package msal_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// TestManyUsersAtOnce has 50 goroutines ask for the tokens of 25 users through
// one Clients, whose memory has room for 5. Nobody may miss a token, nor get
// another's: not from the cache, nor where each call is a refresh.
func TestManyUsersAtOnce(t *testing.T) {
	t.Parallel()
	const users, goroutines, rounds = 25, 50, 8
	for name, life := range map[string]time.Duration{"from the cache": time.Hour, "by refresh": time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, &msaltest.Options{ExpiresIn: life})
			a := w.app(nil, &msal.PartitionOptions{Caches: 5})
			var accounts [users]confidential.Account
			var names, keys [users]string
			for i := range users {
				names[i], keys[i] = fmt.Sprintf("p%d@contoso.example", i), fmt.Sprintf("session/%d", i)
				accounts[i] = a.signIn(keys[i], names[i]).Account
			}
			before := w.srv.Count(msaltest.KindToken)
			var wg sync.WaitGroup
			for g := range goroutines {
				wg.Go(func() {
					for round := range rounds {
						i := (g*7 + round*11) % users
						r, err := a.silent(keys[i], accounts[i])
						if err != nil || whose(r.AccessToken) != names[i] || r.Account.HomeAccountID != accounts[i].HomeAccountID {
							t.Errorf("%s got the token of %q, account %q: %v", names[i], whose(r.AccessToken), r.Account.PreferredUsername, err)
							return
						}
					}
				})
			}
			wg.Wait()
			if n := w.srv.Count(msaltest.KindToken) - before; life == time.Hour && n != 0 {
				t.Errorf("%d token requests for what is stored", n)
			}
		})
	}
}

// TestSessionsComeAndGoAtOnce signs users in and out while others do: what is
// stored in the end is what each of them did last.
func TestSessionsComeAndGoAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	a := w.app(nil, &msal.PartitionOptions{Caches: 2})
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			key, who := fmt.Sprintf("s%02d", i), fmt.Sprintf("p%d@contoso.example", i)
			for round := range 3 {
				r, err := w.code(t.Context(), a.client(key), who)
				if err == nil {
					r, err = a.silent(key, r.Account)
				}
				if err != nil || whose(r.AccessToken) != who {
					t.Errorf("%s: token of %q, %v", who, whose(r.AccessToken), err)
				}
				switch {
				case round == 2 && i%3 == 0: // stays
				case i%3 == 1:
					err = a.client(key).RemoveAccount(t.Context(), r.Account)
				default:
					err = a.Remove(t.Context(), key)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	// Those of RemoveAccount are there without an account.
	wantKeys(t, w, "s00 s01 s03 s04 s06 s07 s09 s10")
	b := w.app(nil, nil)
	for i := range 12 {
		key := fmt.Sprintf("s%02d", i)
		account, err := b.client(key).Account(t.Context(), msaltest.HomeAccountID(fmt.Sprintf("p%d@contoso.example", i)))
		if err != nil || (account.HomeAccountID != "") != (i%3 == 0) {
			t.Errorf("%s: %+v, %v", key, account, err)
		}
	}
}
