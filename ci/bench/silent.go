package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/AzureAD/microsoft-authentication-extensions-for-go/cache"
	officialfile "github.com/AzureAD/microsoft-authentication-extensions-for-go/cache/accessor/file"
	msalcache "github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/ci/bench/internal/report"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/plugins/file"
)

const silentBound = 1.10

// silent measures AcquireTokenSilent of a token that is in the cache.
func silent(ctx context.Context, b *bench) (*report.Row, error) {
	r := &report.Row{Name: "AcquireTokenSilent of a cached token", Bound: fmt.Sprintf(
		"%.2f of what MSAL's cache in memory takes, and one os.Stat within MSAL's call; one stat for each read, and no other access to files", silentBound)}
	fake := newFake()
	defer fake.Close()
	for _, size := range sizes {
		dir := filepath.Join(b.dir, "silent", fmt.Sprint(size))
		if err := silentAt(ctx, b, r, fake.CloudClient(), dir, size); err != nil {
			return nil, fmt.Errorf("%d entries: %w", size, err)
		}
	}
	stats, err := statsPerRead(ctx, filepath.Join(b.dir, "silent", "100", "ours"))
	if err != nil {
		return nil, err
	}
	r.Need(stats == "stat 1", "system calls on files for each read, counted with ptrace: %s", stats)
	return r, nil
}

func silentAt(ctx context.Context, b *bench, r *report.Row, h *http.Client, dir string, size int) error {
	ours := filepath.Join(dir, "ours")
	clients, err := silentClients(ctx, h, ours, filepath.Join(dir, "theirs"), size)
	if err != nil {
		return err
	}
	const calls = 20 // a sample: MSAL searches its memory in random order
	var variants []report.Variant
	for i, name := range []string{"MSAL's cache in memory", "our cache", "MSAL's with one os.Stat", "the official extension"} {
		acquire, err := acquireOf(ctx, clients[i], size)
		if err != nil {
			return err
		}
		variants = append(variants, report.Variant{Name: name, Once: report.Each(calls, acquire)})
		if name == "the official extension" { // it takes up to 0.1 s
			variants[i].Once = cleanly(report.Single(acquire))
		}
	}
	samples, err := report.Rounds(b.rounds, variants)
	if err != nil {
		return err
	}
	for i, v := range variants {
		r.Add(fmt.Sprintf("%5d entries, %s", size, v.Name), samples[i], "")
	}
	inMemory, took, withStat := samples[0].Median(), samples[1].Median(), samples[2].Median()
	limit := withStat + time.Duration((silentBound-1)*float64(inMemory))
	r.Need(took <= limit, "at %d entries %s, where %s are allowed", size, report.Short(took), report.Short(limit))
	return nil
}

// silentClients returns a client without an extension, one with ours, one that
// looks at a file and no more, and one with the official extension, all with
// that many entries.
func silentClients(ctx context.Context, h *http.Client, ours, theirs string, size int) (clients [4]public.Client, err error) {
	data, err := filled(ctx, h, size)
	if err != nil {
		return clients, err
	}
	if err := errors.Join(stored(ctx, ours, data), os.WriteFile(theirs, data, 0o600)); err != nil {
		return clients, err
	}
	var errs [4]error
	clients[0], errs[0] = newClient(h, nil)
	clients[1], errs[1] = oursClient(ctx, h, ours)
	clients[2], errs[2] = newClient(h, looker(ours))
	clients[3], errs[3] = officialClient(h, theirs)
	if err := errors.Join(errs[:]...); err != nil {
		return clients, err
	}
	return clients, errors.Join(fill(ctx, clients[0], size), fill(ctx, clients[2], size))
}

// looker is the least that an accessor of a shared cache can do: look whether
// the file changed.
type looker string

func (l looker) Replace(context.Context, msalcache.Unmarshaler, msalcache.ReplaceHints) error {
	_, err := os.Stat(string(l))
	return err
}

func (looker) Export(context.Context, msalcache.Marshaler, msalcache.ExportHints) error { return nil }

// cleanly keeps the garbage of a variant from being collected in the time of
// another one.
func cleanly(once func() (time.Duration, error)) func() (time.Duration, error) {
	return func() (time.Duration, error) {
		took, err := once()
		runtime.GC()
		return took, err
	}
}

// acquireOf asks for the token of somebody in the middle of the cache.
func acquireOf(ctx context.Context, client public.Client, size int) (func() error, error) {
	accounts, err := client.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	if len(accounts) != size/perPerson {
		return nil, fmt.Errorf("%d people are signed in, and not %d", len(accounts), size/perPerson)
	}
	account := accounts[len(accounts)/2]
	acquire := func() error {
		_, err := client.AcquireTokenSilent(ctx, scopes, public.WithSilentAccount(account))
		return err
	}
	time.Sleep(settle) // what was just written isn't trusted yet
	return acquire, errors.Join(acquire(), acquire())
}

// settle is more than a file's times need to tell one write from the next.
const settle = 150 * time.Millisecond

// openedItem is a file at a location, in process.
func openedItem(ctx context.Context, location string) (*persist.Persistence, error) {
	c := backend.Config{Location: location, Path: location}
	store, err := file.Backend().Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return persist.New("file", store, c, nil), nil
}

// opened is our cache in such a file.
func opened(ctx context.Context, location string) (*persist.PersistedTokenCache, error) {
	p, err := openedItem(ctx, location)
	if err != nil {
		return nil, err
	}
	return persist.NewPersistedTokenCache(p, nil), nil
}

func oursClient(ctx context.Context, h *http.Client, location string) (public.Client, error) {
	c, err := opened(ctx, location)
	if err != nil {
		return public.Client{}, err
	}
	return newClient(h, msal.Accessor(c))
}

// officialClient uses the official extension as its README has it: the file's
// own times tell of changes.
func officialClient(h *http.Client, location string) (public.Client, error) {
	c, err := official(location)
	if err != nil {
		return public.Client{}, err
	}
	return newClient(h, c)
}

func official(location string) (*cache.Cache, error) {
	storage, err := officialfile.New(location)
	if err != nil {
		return nil, err
	}
	return cache.New(storage, location+".timestamp")
}
