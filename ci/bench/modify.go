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

// modify measures one change of a cache, beside what it costs to write as many
// bytes.
func modify(ctx context.Context, b *bench) (*report.Row, error) {
	r := &report.Row{Name: "one change of a cache (Modify): lock, load, change, save", Bound: "none"}
	fake := newFake()
	defer fake.Close()
	for _, size := range sizes {
		data, err := filled(ctx, fake.CloudClient(), size)
		if err != nil {
			return nil, err
		}
		var variants []report.Variant
		for _, place := range []struct{ name, dir string }{{"memory", b.memory}, {"disk", b.dir}} {
			path := filepath.Join(place.dir, "modify", fmt.Sprint(size))
			once, err := modifier(ctx, path, data)
			if err != nil {
				return nil, err
			}
			variants = append(variants,
				report.Variant{Name: place.name + ", Modify", Once: once},
				report.Variant{Name: place.name + ", these bytes alone, with fsync", Once: report.Single(func() error { return replaceFile(path+".raw", data, true) })},
				report.Variant{Name: place.name + ", these bytes alone, without", Once: report.Single(func() error { return replaceFile(path+".raw", data, false) })})
		}
		samples, err := report.Rounds(b.rounds, variants)
		if err != nil {
			return nil, err
		}
		for i, v := range variants {
			r.Add(fmt.Sprintf("%5d entries, on %s", size, v.Name), samples[i], "")
		}
	}
	return r, nil
}

// modifier gives somebody in the middle of the cache another access token, as
// long as the one before.
func modifier(ctx context.Context, path string, data []byte) (func() (time.Duration, error), error) {
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
	query, n := tokenOf(accounts[len(accounts)/2]), 0
	return report.Single(func() error {
		n++
		return c.Modify(ctx, func(tc *tokencache.TokenCache) error {
			found := tc.Search(query)
			if len(found) != 1 {
				return fmt.Errorf("%d tokens were found", len(found))
			}
			_, err := tc.Modify(found[0], map[string]any{"secret": fmt.Sprintf("%01500d", n)})
			return err
		})
	}), nil
}

// replaceFile is the least that keeps a file whole, with fsync or without.
func replaceFile(path string, data []byte, durably bool) error {
	f, err := os.CreateTemp(filepath.Dir(path), "raw-")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if durably {
		err = errors.Join(err, f.Sync())
	}
	if err := errors.Join(err, f.Close(), os.Rename(f.Name(), path)); err != nil || !durably {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
