package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/msalext/msalext/ci/bench/internal/report"
	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

const (
	raceProcesses = 4
	raceSignIns   = 60
)

// race has several processes sign people in to one cache at once.
func race(ctx context.Context, b *bench) (*report.Row, error) {
	const all = raceProcesses * raceSignIns
	r := &report.Row{
		Name:  fmt.Sprintf("%d processes sign %d people each in to one cache", raceProcesses, raceSignIns),
		Bound: fmt.Sprintf("ours keeps %d of %d accounts in every round", all, all),
	}
	var kept [2][]float64
	kinds := []string{"ours", "official"}
	var variants []report.Variant
	for i, kind := range kinds {
		variants = append(variants, report.Variant{Name: kind, Once: func() (time.Duration, error) {
			took, n, err := raceOnce(ctx, b, kind)
			kept[i] = append(kept[i], float64(n))
			return took, err
		}})
	}
	samples, err := report.Rounds(b.rounds, variants)
	if err != nil {
		return nil, err
	}
	for i, name := range []string{"our plugin", "the official extension"} {
		r.Count(name+": accounts kept", kept[i], fmt.Sprintf("worst %g", slices.Min(kept[i])))
		r.Add(name+": time", samples[i], "")
	}
	worst := slices.Min(kept[0])
	r.Need(worst == all, "ours kept at least %g of %d", worst, all)
	return r, nil
}

// raceOnce is one race on a new cache; it returns how many accounts a fresh
// client finds afterwards.
func raceOnce(ctx context.Context, b *bench, kind string) (time.Duration, int, error) {
	dir, err := os.MkdirTemp(b.dir, "race-")
	if err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(dir)
	location := filepath.Join(dir, "cache")
	began := time.Now()
	err = together(ctx, raceProcesses, func(i int) []string {
		return []string{"race", kind, location, strconv.Itoa(i)}
	})
	took := time.Since(began)
	if err != nil {
		return 0, 0, err
	}
	client, done, err := raceClient(ctx, kind, location, &http.Client{Transport: offline{}})
	if err != nil {
		return 0, 0, err
	}
	accounts, err := client.Accounts(ctx)
	return took, len(accounts), errors.Join(err, done())
}

// together runs this program several times at once.
func together(ctx context.Context, n int, args func(i int) []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var running []*exec.Cmd
	for i := range n {
		cmd := exec.CommandContext(ctx, self, args(i)...)
		cmd.Stderr = new(bytes.Buffer)
		if err := cmd.Start(); err != nil {
			return err
		}
		running = append(running, cmd)
	}
	var errs []error
	for _, cmd := range running {
		if err := cmd.Wait(); err != nil {
			errs = append(errs, fmt.Errorf("%w: %s", err, strings.TrimSpace(fmt.Sprint(cmd.Stderr))))
		}
	}
	return errors.Join(errs...)
}

// raceChild signs people in, one after the other. Each process has a fake of
// its own, so that nothing but the cache is shared.
func raceChild(args []string) error {
	ctx := context.Background()
	fake := msaltest.New(&msaltest.Options{Password: password})
	defer fake.Close()
	client, done, err := raceClient(ctx, args[0], args[1], fake.CloudClient())
	if err != nil {
		return err
	}
	for i := range raceSignIns {
		if _, err := byPassword(ctx, client, fmt.Sprintf("person%s-%d@contoso.example", args[2], i)); err != nil {
			return errors.Join(err, done())
		}
	}
	return done()
}

// raceClient is a client of either extension, and what ends it.
func raceClient(ctx context.Context, kind, location string, h *http.Client) (public.Client, func() error, error) {
	if kind == "official" {
		client, err := officialClient(h, location)
		return client, func() error { return nil }, err
	}
	p, err := extensions.Open(ctx, "file", location, nil)
	if err != nil {
		return public.Client{}, nil, err
	}
	c := extensions.NewPersistedTokenCache(p, nil)
	client, err := newClient(h, msal.Accessor(c))
	return client, func() error { return errors.Join(c.Close(ctx), p.Close()) }, err
}
