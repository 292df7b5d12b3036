package msal_test

import (
	"errors"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

var orders = []string{"api://orders/.default"}

func TestForClient(t *testing.T) {
	t.Parallel()
	t.Run("A26 found by another process", func(t *testing.T) {
		w := newWorld(t, nil)
		var last string
		for i := range 3 {
			r, err := w.api().ForClient(t.Context(), orders, nil)
			if err != nil || i > 0 && (r.AccessToken != last || !r.FromCache()) {
				t.Errorf("call %d: %v, %v", i, r, err)
			}
			last = r.AccessToken
		}
		if n := w.srv.Count(msaltest.KindTokenClient); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
	t.Run("A26 refused", func(t *testing.T) {
		w := newWorld(t, nil)
		w.srv.Fail(msaltest.KindTokenClient, msaltest.Failure{Code: "invalid_scope", Codes: []int{70011}})
		if _, err := w.api().ForClient(t.Context(), orders, nil); !errors.Is(err, msal.ErrInvalidScope) {
			t.Errorf("error is %v", err)
		}
	})
}

func TestRemoveTokensForClient(t *testing.T) {
	t.Parallel()
	get := func(w *world, who *msal.Confidential, o *msal.ForClientOptions) msal.Result {
		w.Helper()
		r, err := who.ForClient(w.Context(), orders, o)
		if err != nil {
			w.Fatal(err)
		}
		return r
	}
	t.Run("A26 remove_tokens_for_client", func(t *testing.T) {
		w := newWorld(t, nil)
		api := w.api()
		secret, _ := msal.Secret("secret")
		c, _ := w.cache(nil)
		other, err := msal.NewConfidential("another", secret, w.options(c))
		if err != nil {
			t.Fatal(err)
		}
		special := &msal.ForClientOptions{MSAL: []confidential.AcquireByCredentialOption{confidential.WithAttribute("blue")}}
		tenant := &msal.ForClientOptions{TenantID: "fabrikam.example"}
		person := w.byCodeFlow(api)
		behalf := w.callOf(bob)
		w.behalfOf(api, behalf, nil)
		for _, o := range []*msal.ForClientOptions{nil, special, tenant} {
			get(w, api, o)
		}
		get(w, other, nil)
		if err := w.api().RemoveTokensForClient(t.Context()); err != nil {
			t.Fatal(err)
		}
		for name, o := range map[string]*msal.ForClientOptions{"ordinary": nil, "special": special, "tenant": tenant} {
			if get(w, api, o).FromCache() {
				t.Errorf("%s token: it is still there", name)
			}
		}
		if !get(w, other, nil).FromCache() {
			t.Error("another application's token is gone")
		}
		if got := silently(t, api, &msal.SilentOptions{Account: &person.Account}); got.AccessToken != person.AccessToken {
			t.Error("a person's token is gone")
		}
		if !w.behalfOf(api, behalf, nil).FromCache() {
			t.Error("a token on behalf of a person is gone")
		}
	})
	t.Run("A26 nothing to remove", func(t *testing.T) {
		w := newWorld(t, nil)
		if err := w.api().RemoveTokensForClient(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("A26 store that fails", func(t *testing.T) {
		w := newWorld(t, nil)
		c, s := w.cache(nil)
		api := w.web(w.options(c))
		get(w, api, nil)
		s.fail(nil, &backend.Error{Kind: backend.ErrUnavailable})
		if err := api.RemoveTokensForClient(t.Context()); !errors.Is(err, backend.ErrUnavailable) {
			t.Errorf("error is %v", err)
		}
	})
}
