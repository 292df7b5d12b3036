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
		"what MSAL's cache takes when it is loaded once and each read has one os.Stat, and %.0f %% of its cache in memory; one stat for each read, and no other access to files", 100*(silentBound-1))}
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
	for i, name := range []string{"MSAL's cache in memory", "the same, loaded once, and one os.Stat", "our cache", "the official extension"} {
		acquire, err := acquireOf(ctx, clients[i], size)
		if err != nil {
			return err
		}
		variants = append(variants, report.Variant{Name: name, Once: report.Each(calls, acquire)})
		if name == "the official extension" { // it takes up to 0.1 s
			variants[i].Once = cleanly(report.Single(acquire))
		}
	}
	variants = append(variants, report.Variant{Name: "os.Stat alone", Once: report.Each(calls, func() error { _, err := os.Stat(ours); return err })})
	samples, err := report.Rounds(b.rounds, variants)
	if err != nil {
		return err
	}
	for i, v := range variants {
		r.Add(fmt.Sprintf("%5d entries, %s", size, v.Name), samples[i], "")
	}
	// A system call between two scans of MSAL's memory costs up to twice what
	// it does in a loop, so it is measured there.
	inMemory, withStat, took := samples[0].Median(), samples[1].Median(), samples[2].Median()
	limit := withStat + time.Duration((silentBound-1)*float64(inMemory))
	r.Need(took <= limit, "at %d entries %s, where %s are allowed", size, report.Short(took), report.Short(limit))
	return nil
}

// silentClients returns a client without an extension, one with onlyStat, one
// with ours and one with the official extension, all with that
// many entries.
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
	clients[1], errs[1] = newClient(h, &onlyStat{path: ours, data: data})
	clients[2], errs[2] = oursClient(ctx, h, ours)
	clients[3], errs[3] = officialClient(h, theirs)
	if err := errors.Join(errs[:]...); err != nil {
		return clients, err
	}
	return clients, fill(ctx, clients[0], size)
}

// onlyStat is an accessor that gives MSAL its data once and from then on looks
// at a file before each read. It is the least that an extension can do: what
// MSAL has read as JSON lies less close together in memory than what it has put
// there at sign-ins, and is searched more slowly.
type onlyStat struct {
	path   string
	data   []byte
	loaded bool
}

func (a *onlyStat) Replace(_ context.Context, u msalcache.Unmarshaler, _ msalcache.ReplaceHints) error {
	if !a.loaded {
		a.loaded = true
		return u.Unmarshal(a.data)
	}
	_, err := os.Stat(a.path)
	return err
}

func (*onlyStat) Export(context.Context, msalcache.Marshaler, msalcache.ExportHints) error {
	return nil
}

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
