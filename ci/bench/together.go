package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/msalext/msalext/ci/bench/internal/report"
)

const crowd = 8

// maxCrowdRounds: msal-extensions takes seconds for one.
const maxCrowdRounds = 10

// togetherAt are the numbers of entries, and how much of msal-extensions' time
// ours may take.
var togetherAt = []struct {
	entries           int
	inProcess, plugin float64
}{{100, 0.5, 1}, {1000, 0.5, 1.5}}

// gainsTogether has several processes change one cache at once.
func gainsTogether(ctx context.Context, b *bench) (*report.Row, error) {
	const all = crowd * perChanger
	r := &report.Row{Name: fmt.Sprintf("%d processes make %d changes each in one cache, beside msal-extensions for Python", crowd, perChanger),
		Bound: fmt.Sprintf("all %d are kept; in memory, at 100 and 1,000 entries: in process at most half its time, plugin at most 1 and 1.5 ×", all)}
	for _, at := range togetherAt {
		data, err := changeable(at.entries)
		if err != nil {
			return nil, err
		}
		for _, dir := range []string{b.memory, b.dir} {
			samples, worst, err := b.togetherIn(ctx, r, dir, fmt.Sprint(at.entries, " entries"), data)
			if err != nil {
				return nil, err
			}
			inProcess, plugin := samples[1].Ratio(samples[0]), samples[2].Ratio(samples[0])
			r.Need(worst == all, "%s, %d entries: ours kept at least %d of %d", fileSystem(dir), at.entries, worst, all)
			if dir == b.memory {
				r.Need(inProcess <= at.inProcess, "in memory, %d entries, in process: %.2f × its time", at.entries, inProcess)
				r.Need(plugin <= at.plugin, "in memory, %d entries, plugin: %.2f × its time", at.entries, plugin)
			}
		}
	}
	return r, nil
}

// togetherIn measures the crowds in one place. worst is how much ours kept in
// the worst round.
func (b *bench) togetherIn(ctx context.Context, r *report.Row, dir, what string, data []byte) (_ []report.Sample, worst int, err error) {
	kept := make([][]float64, len(changers))
	var variants []report.Variant
	for i, kind := range changers {
		variants = append(variants, report.Variant{Name: kind, Once: func() (time.Duration, error) {
			took, n, err := b.together(ctx, kind, filepath.Join(dir, "together"), data, perChanger)
			kept[i] = append(kept[i], float64(n))
			return took, err
		}})
	}
	samples, err := report.Rounds(min(b.rounds, maxCrowdRounds), variants)
	if err != nil {
		return nil, 0, err
	}
	for i, v := range variants {
		r.Add(fmt.Sprintf("%s, %s, %s", what, fileSystem(dir), v.Name), samples[i], fmt.Sprintf("kept at least %g", slices.Min(kept[i])))
	}
	return samples, int(min(slices.Min(kept[1]), slices.Min(kept[2]))), nil
}

// together is one crowd on a new cache: from the order to the last answer.
func (b *bench) together(ctx context.Context, kind, dir string, data []byte, changes int) (took time.Duration, kept int, err error) {
	location := filepath.Join(dir, "cache")
	if err := stored(ctx, location, data); err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	var all []*changer
	defer func() {
		for _, c := range all {
			err = errors.Join(err, c.end())
		}
	}()
	for i := range crowd {
		c, err := b.changer(ctx, kind, location, i, changes)
		if err != nil {
			return 0, 0, err
		}
		all = append(all, c)
	}
	took, err = ordered(all, changes)
	if err != nil {
		return 0, 0, err
	}
	kept, err = changesIn(location)
	return took, kept, err
}

// ordered is from the order to the last answer.
func ordered(all []*changer, changes int) (time.Duration, error) {
	began := time.Now()
	for _, c := range all {
		if err := c.order(changes); err != nil {
			return 0, err
		}
	}
	for _, c := range all {
		if _, err := c.done(); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}

// changed is a field that a changer has set.
var changed = regexp.MustCompile(`"p[0-7]_[0-9]+":`)

// changesIn counts the changes that a cache still has. Python puts a space
// behind a colon, and it counts as one all the same.
func changesIn(location string) (int, error) {
	data, err := os.ReadFile(location)
	if err != nil {
		return 0, err
	}
	found := map[string]bool{}
	for _, field := range changed.FindAll(data, -1) {
		found[string(bytes.TrimSuffix(field, []byte(":")))] = true
	}
	return len(found), nil
}
