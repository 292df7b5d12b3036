package msal_test

import (
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/plugins/file"
)

// TestPartitionsQuarantine: one session's cache can't be read. With Quarantine a
// sign-in moves it aside; without, it stays, and what the sign-in brought is in
// memory alone.
func TestPartitionsQuarantine(t *testing.T) {
	t.Parallel()
	for name, quarantine := range map[string]bool{"asked for": true, "not asked for": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			p, err := extensions.Open(t.Context(), "file", w.path, &extensions.Options{InProcess: []backend.Backend{file.Backend()}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = p.Close() })
			if err := p.Key("session").Save(t.Context(), []byte("{")); err != nil {
				t.Fatal(err)
			}
			clients := func() *msal.Clients[public.Client] {
				return msal.Partitioned(p, nil, func(a cache.ExportReplace) (public.Client, error) { return w.clientWith(a), nil },
					&msal.PartitionOptions{Quarantine: quarantine, OnError: func(string, error) {}})
			}
			ctx := msal.WithPartition(t.Context(), "session")
			client, err := clients().Client(ctx)
			if err != nil {
				t.Fatal(err)
			}
			w.signIn(client, alice)
			again, err := clients().Client(ctx)
			if err != nil {
				t.Fatal(err)
			}
			accounts, err := again.Accounts(ctx)
			if quarantine && (err != nil || len(accounts) != 1 || accounts[0].PreferredUsername != alice) {
				t.Errorf("another process sees %v, %v", accounts, err)
			}
			if !quarantine && err == nil {
				t.Errorf("another process sees %v, and no error", accounts)
			}
		})
	}
}
