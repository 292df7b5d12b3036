package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/msalext/msalext/ci/bench/internal/report"
)

// gainsAt are the numbers of entries, and how often our rate must be that of
// msal-extensions where nobody else writes and nothing waits for a disk.
var gainsAt = []struct {
	entries           int
	inProcess, plugin float64
}{{100, 3, 1}, {1000, 5, 2}}

// inARow is how many changes are timed together.
const inARow = 10

// gains measures one change of a cache beside one by msal-extensions, which
// writes in place and doesn't sync.
func gains(ctx context.Context, b *bench) (*report.Row, error) {
	r := &report.Row{Name: "a change of a cache that nobody else changes, beside msal-extensions for Python",
		Bound: "in memory, at 100 and 1,000 entries: in process 3 and 5 × its rate, through the plugin 1 and 2 ×"}
	for _, at := range gainsAt {
		for _, dir := range []string{b.memory, b.dir} {
			samples, err := b.gainsIn(ctx, r, dir, at.entries)
			if err != nil {
				return nil, err
			}
			inProcess, plugin := 1/samples[1].Ratio(samples[0]), 1/samples[2].Ratio(samples[0])
			if dir == b.memory {
				r.Need(inProcess >= at.inProcess, "in memory, %d entries, in process: %.1f × the rate", at.entries, inProcess)
				r.Need(plugin >= at.plugin, "in memory, %d entries, plugin: %.1f × the rate", at.entries, plugin)
				continue
			}
			synced := samples[3].Median() - samples[4].Median()
			share := func(s report.Sample) float64 { return 100 * float64(synced) / float64(s.Median()) }
			r.Note("on disk, %d entries: in process %.1f × the rate, %.0f %% of the time being fsync; plugin %.1f ×, %.0f %%",
				at.entries, inProcess, share(samples[1]), plugin, share(samples[2]))
		}
	}
	return r, nil
}

// gainsIn measures the changers in one place, and what it costs there to write
// as many bytes durably, and not so.
func (b *bench) gainsIn(ctx context.Context, r *report.Row, dir string, entries int) (samples []report.Sample, err error) {
	data, err := changeable(entries)
	if err != nil {
		return nil, err
	}
	place := filepath.Join(dir, fmt.Sprint("gains-", entries))
	var variants []report.Variant
	for _, kind := range changers {
		location := filepath.Join(place, kind, "cache")
		if err := stored(ctx, location, data); err != nil {
			return nil, err
		}
		c, err := b.changer(ctx, kind, location, 0, perChanger)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, c.end()) }()
		variants = append(variants, report.Variant{Name: kind, Once: func() (time.Duration, error) {
			if err := c.order(inARow); err != nil {
				return 0, err
			}
			took, err := c.done()
			return took / inARow, err
		}})
	}
	raw := filepath.Join(place, "raw")
	variants = append(variants,
		report.Variant{Name: "these bytes alone, with fsync", Once: report.Single(func() error { return replaceFile(raw, data, true) })},
		report.Variant{Name: "these bytes alone, without", Once: report.Single(func() error { return replaceFile(raw, data, false) })})
	samples, err = report.Rounds(b.rounds, variants)
	if err != nil {
		return nil, err
	}
	for i, v := range variants {
		r.Add(fmt.Sprintf("%d entries, %s, %s", entries, fileSystem(dir), v.Name), samples[i], "")
	}
	return samples, os.RemoveAll(place)
}
