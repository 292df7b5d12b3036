package main

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"github.com/msalext/msalext/ci/bench/internal/report"
	"github.com/msalext/msalext/msal"
)

// silentClient measures Silent of a client that NewPublic made, whose token is
// in the cache.
func silentClient(ctx context.Context, b *bench) (*report.Row, error) {
	r := &report.Row{Name: "NewPublic's Silent of a cached token", Bound: fmt.Sprintf(
		"%.2f of what MSAL's own client takes with its cache in memory, and one os.Stat within MSAL's call", silentBound)}
	fake := newFake()
	defer fake.Close()
	for _, size := range sizes {
		dir := filepath.Join(b.dir, "silent-client", fmt.Sprint(size))
		if err := silentClientAt(ctx, b, r, fake.CloudClient(), dir, size); err != nil {
			return nil, fmt.Errorf("%d entries: %w", size, err)
		}
	}
	return r, nil
}

func silentClientAt(ctx context.Context, b *bench, r *report.Row, h *http.Client, dir string, size int) error {
	ours := filepath.Join(dir, "ours")
	clients, err := silentClients(ctx, h, ours, filepath.Join(dir, "theirs"), size)
	if err != nil {
		return err
	}
	made, err := madeClient(ctx, h, ours, size)
	if err != nil {
		return err
	}
	inMemory, err := acquireOf(ctx, clients[0], size)
	if err != nil {
		return err
	}
	withStat, err := acquireOf(ctx, clients[2], size)
	if err != nil {
		return err
	}
	const calls = 20 // a sample: MSAL searches its memory in random order
	variants := []report.Variant{
		{Name: "MSAL's client, in memory", Once: report.Each(calls, inMemory)},
		{Name: "NewPublic's, in a file", Once: report.Each(calls, made)},
		{Name: "MSAL's with one os.Stat", Once: report.Each(calls, withStat)},
	}
	samples, err := report.Rounds(b.rounds, variants)
	if err != nil {
		return err
	}
	for i, v := range variants {
		r.Add(fmt.Sprintf("%5d entries, %s", size, v.Name), samples[i], "")
	}
	limit := samples[2].Median() + time.Duration((silentBound-1)*float64(samples[0].Median()))
	took := samples[1].Median()
	r.Need(took <= limit, "at %d entries %s, where %s are allowed", size, report.Short(took), report.Short(limit))
	return nil
}

// madeClient is NewPublic's client of the same file.
func madeClient(ctx context.Context, h *http.Client, location string, size int) (func() error, error) {
	cache, err := opened(ctx, location)
	if err != nil {
		return nil, err
	}
	client, err := msal.NewPublic(clientID, &msal.Options{Authority: authority, Cache: cache, HTTPClient: h, DisableInstanceDiscovery: true})
	if err != nil {
		return nil, err
	}
	accounts, err := client.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	if len(accounts) != size/perPerson {
		return nil, fmt.Errorf("%d people are signed in, and not %d", len(accounts), size/perPerson)
	}
	o := &msal.SilentOptions{Account: &accounts[len(accounts)/2]}
	acquire := func() error {
		_, err := client.Silent(ctx, scopes, o)
		return err
	}
	time.Sleep(settle)
	return acquire, acquire()
}
