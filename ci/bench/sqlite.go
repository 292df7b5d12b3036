package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/msalext/msalext/ci/bench/internal/report"
	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/plugins/file"
	"github.com/msalext/msalext/plugins/sqlite"
)

const (
	cacheSize = 10 << 10 // a person with some tokens

	// An operation among 100,000 caches may take this much of what it takes
	// among 1,000.
	growthBound = 1.2

	countersChanges = 100
)

// crowdedAt are the numbers of caches in one database.
var crowdedAt = []int{1, 1000, 100_000}

// sqliteGrowth measures one operation among more and more caches.
func sqliteGrowth(ctx context.Context, b *bench) (_ *report.Row, err error) {
	r := &report.Row{
		Name:  fmt.Sprintf("one of many caches of %d kB in a SQLite database, on disk and in the system's memory", cacheSize>>10),
		Bound: fmt.Sprintf("among %d caches at most %.2f × the time among %d, and the memory", crowdedAt[2], growthBound, crowdedAt[1]),
	}
	dir := filepath.Join(b.dir, "sqlite")
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	var variants []report.Variant
	var paths []string
	for _, n := range crowdedAt {
		path := filepath.Join(dir, strconv.Itoa(n))
		paths = append(paths, path)
		for _, how := range []string{"sqlite", "sqlite plugin"} {
			c, err := crowded(ctx, how, path, n)
			if err != nil {
				return nil, err
			}
			defer c.of.Close()
			variants = append(variants,
				report.Variant{Name: fmt.Sprintf("%6d caches, %s, load", n, how), Once: report.Each(20, func() error { return c.load(ctx) })},
				report.Variant{Name: fmt.Sprintf("%6d caches, %s, update", n, how), Once: report.Each(5, func() error { return c.save(ctx) })})
		}
	}
	for _, path := range paths {
		release, err := pinned(path)
		if err != nil {
			return nil, err
		}
		defer release()
	}
	samples, err := report.Rounds(b.rounds, variants)
	if err != nil {
		return nil, err
	}
	for i, v := range variants {
		r.Add(v.Name, samples[i], "")
	}
	const each = 4 // variants for a number of caches
	for i, what := range []string{"in process, load", "in process, update", "plugin, load", "plugin, update"} {
		growth := samples[2*each+i].Ratio(samples[each+i])
		r.Need(growth <= growthBound, "%s: %.3f ×", what, growth)
	}
	return r, errors.Join(remembering(ctx, r, "sqlite", paths), remembering(ctx, r, "sqlite plugin", paths))
}

// crowded opens a database with n caches, which it fills where there is none.
func crowded(ctx context.Context, how, path string, n int) (*caches, error) {
	p, err := counted(ctx, how, path)
	if err != nil {
		return nil, err
	}
	c := &caches{p, n}
	if _, err := p.Key(person(0)).Load(ctx); errors.Is(err, backend.ErrNotFound) {
		err := errors.Join(p.Key(person(0)).Save(ctx, cacheOf(0)), copied(path, n))
		if err != nil {
			return nil, errors.Join(err, p.Close())
		}
	}
	return c, nil
}

// copied adds copies of the first cache up to n in one transaction: saving
// them one by one would take minutes.
func copied(path string, n int) (err error) {
	db, err := sqlite3.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Exec("PRAGMA synchronous = OFF; BEGIN IMMEDIATE"); err != nil {
		return err
	}
	copy, _, err := db.Prepare("INSERT INTO item (id, key, version, modified, data) SELECT ?1, ?2, version, modified, data FROM item WHERE id = ?3")
	if err != nil {
		return err
	}
	defer copy.Close()
	keys := make(map[int64]string, n)
	for i := 1; i < n; i++ {
		keys[rowOf(person(i))] = person(i)
	}
	for _, id := range slices.Sorted(maps.Keys(keys)) {
		if err := errors.Join(copy.BindInt64(1, id), copy.BindBlob(2, []byte(keys[id])), copy.BindInt64(3, rowOf(person(0))), copy.Exec()); err != nil {
			return err
		}
	}
	return db.Exec("COMMIT; PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)")
}

// rowOf is where the backend keeps a key.
func rowOf(key string) int64 {
	sum := sha256.Sum256([]byte(key))
	return int64(binary.BigEndian.Uint64(sum[:])>>1) &^ 7
}

// caches are many in one database.
type caches struct {
	of *extensions.Persistence
	n  int
}

// personForm is as long as the home account ids by which caches are told apart.
const personForm = "%012d-0000-4000-8000-000000000000.72f988bf-86f1-41af-91ab-2d7cd011db47"

func person(i int) string { return fmt.Sprintf(personForm, i) }

func cacheOf(i int) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "%015d,", i), cacheSize/16)
}

func (c *caches) load(ctx context.Context) error {
	_, err := c.of.Key(person(rand.N(c.n))).Load(ctx)
	return err
}

func (c *caches) save(ctx context.Context) error {
	return c.of.Key(person(rand.N(c.n))).Update(ctx, func([]byte) ([]byte, error) { return cacheOf(rand.N(1_000_000)), nil })
}

// contention has several processes count up one item, in a database and in a
// file.
func contention(ctx context.Context, b *bench) (*report.Row, error) {
	const all = crowd * countersChanges
	r := &report.Row{
		Name:  fmt.Sprintf("%d processes change one item of %d kB %d times each, on disk", crowd, cacheSize>>10, countersChanges),
		Bound: fmt.Sprintf("all %d changes are kept", all),
	}
	kinds := []string{"sqlite", "sqlite encrypted", "sqlite plugin", "file"}
	kept := make([][]float64, len(kinds))
	var variants []report.Variant
	for i, kind := range kinds {
		variants = append(variants, report.Variant{Name: kind, Once: func() (time.Duration, error) {
			took, n, err := contend(ctx, b, kind)
			kept[i] = append(kept[i], float64(n))
			return took, err
		}})
	}
	samples, err := report.Rounds(min(b.rounds, maxCrowdRounds), variants)
	if err != nil {
		return nil, err
	}
	for i, kind := range kinds {
		worst := slices.Min(kept[i])
		r.Add(kind, samples[i], fmt.Sprintf("kept at least %g", worst))
		r.Need(worst == all, "%s: kept at least %g of %d", kind, worst, all)
	}
	return r, nil
}

func contend(ctx context.Context, b *bench, kind string) (took time.Duration, kept int, err error) {
	dir, err := os.MkdirTemp(b.dir, "contention-")
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	location := filepath.Join(dir, "cache")
	began := time.Now()
	err = together(ctx, crowd, func(int) []string { return []string{"count", kind, location} })
	took = time.Since(began)
	if err != nil {
		return 0, 0, err
	}
	p, err := counted(ctx, kind, location)
	if err != nil {
		return 0, 0, err
	}
	data, err := p.Load(ctx)
	if err := errors.Join(err, p.Close()); err != nil {
		return 0, 0, err
	}
	kept, err = countIn(data)
	return took, kept, err
}

// counted opens a location in the way that a variant's name says.
func counted(ctx context.Context, how, location string) (*extensions.Persistence, error) {
	opts := &extensions.Options{}
	name, where, _ := strings.Cut(how, " ")
	if where != "plugin" {
		opts.InProcess = []backend.Backend{file.Backend(), sqlite.Backend()}
	}
	if where == "encrypted" {
		key := strings.Repeat("0123456789abcdef", 4)
		opts.Settings = map[string]backend.Settings{name: {"key": key}}
	}
	return extensions.Open(ctx, name, location, opts)
}

func countIn(data []byte) (int, error) {
	number, _, _ := bytes.Cut(data, []byte(","))
	return strconv.Atoi(string(number))
}

// countChild counts an item up.
func countChild(args []string) error {
	ctx := context.Background()
	p, err := counted(ctx, args[0], args[1])
	if err != nil {
		return err
	}
	for range countersChanges {
		err = p.Update(ctx, func(old []byte) ([]byte, error) {
			if old == nil {
				return cacheOf(1), nil
			}
			n, err := countIn(old)
			return cacheOf(n + 1), err
		})
		if err != nil {
			break
		}
	}
	return errors.Join(err, p.Close())
}
