package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/msalext/msalext/ci/bench/internal/report"
	"github.com/msalext/msalext/extensions/tokencache"
)

const (
	searchBound = 5   // × one os.Stat
	flatBound   = 1.5 // × the time with the fewest entries
)

// search measures a find in a cache that nobody has changed.
func search(ctx context.Context, b *bench) (*report.Row, error) {
	r := &report.Row{Name: "a search in an unchanged cache", Bound: fmt.Sprintf(
		"at most %d × one os.Stat; with the most entries at most %.1f × that with the fewest", searchBound, flatBound)}
	fake := newFake()
	defer fake.Close()
	var variants []report.Variant
	var path string
	for _, size := range sizes {
		path = filepath.Join(b.dir, "search", fmt.Sprint(size))
		data, err := filled(ctx, fake.CloudClient(), size)
		if err != nil {
			return nil, err
		}
		find, err := finder(ctx, path, data)
		if err != nil {
			return nil, err
		}
		variants = append(variants, report.Variant{Name: fmt.Sprintf("%5d entries", size), Once: report.Each(100, find)})
	}
	variants = append(variants, report.Variant{Name: "os.Stat", Once: report.Each(100, func() error { _, err := os.Stat(path); return err })})
	samples, err := report.Rounds(b.rounds, variants)
	if err != nil {
		return nil, err
	}
	stat := len(sizes)
	for i, v := range variants {
		r.Add(v.Name, samples[i], "")
	}
	for i := range sizes {
		ratio := samples[i].Ratio(samples[stat])
		r.Need(ratio <= searchBound, "%s: %.1f × os.Stat", variants[i].Name, ratio)
	}
	flat := samples[stat-1].Ratio(samples[0])
	r.Need(flat <= flatBound, "from %d to %d entries the time becomes %.2f times as long", sizes[0], sizes[stat-1], flat)
	return r, nil
}

// finder looks for one access token of somebody in the middle of the cache.
func finder(ctx context.Context, path string, data []byte) (func() error, error) {
	if err := stored(ctx, path, data); err != nil {
		return nil, err
	}
	c, err := opened(ctx, path)
	if err != nil {
		return nil, err
	}
	accounts, err := c.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	query := tokenOf(accounts[len(accounts)/2])
	find := func() error {
		found, err := c.Search(ctx, query)
		if err == nil && len(found) != 1 {
			err = fmt.Errorf("%d tokens were found", len(found))
		}
		return err
	}
	time.Sleep(settle)
	return find, errors.Join(find(), find())
}

// tokenOf asks for one of somebody's access tokens, as MSAL does.
func tokenOf(a tokencache.Account) tokencache.Query {
	return tokencache.Query{Section: tokencache.AccessTokens, HomeAccountID: a.HomeAccountID, ClientID: clientID, Scopes: scopes}
}
