package msal_test

import (
	"context"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/msal"
)

// decorated is an accessor that a program has put around ours, and that hands
// over MSAL's memory in a wrapper, another one for each call.
type decorated struct{ inner cache.ExportReplace }

type wrappedMemory struct {
	cache.Marshaler
	cache.Unmarshaler
}

func (d decorated) Replace(ctx context.Context, u cache.Unmarshaler, h cache.ReplaceHints) error {
	return d.inner.Replace(ctx, &wrappedMemory{Unmarshaler: u}, h)
}

func (d decorated) Export(ctx context.Context, m cache.Marshaler, h cache.ExportHints) error {
	return d.inner.Export(ctx, &wrappedMemory{Marshaler: m}, h)
}

func TestTokenIsStoredThroughADecoratedAccessor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.signIn(w.client(), bob)
	c, _ := w.cache(nil)
	client, err := public.New("client", public.WithAuthority(w.srv.Authority()), public.WithHTTPClient(w.srv.Client()),
		public.WithInstanceDiscovery(false), public.WithCache(decorated{msal.Accessor(c)}))
	if err != nil {
		t.Fatal(err)
	}
	w.signIn(client, alice)
	if got := w.people(); got != alice+" "+bob {
		t.Errorf("stored: %q", got)
	}
}
