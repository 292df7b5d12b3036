package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/msalext/msalext/ci/bench/internal/report"
	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/plugins/file"
	"github.com/msalext/msalext/plugins/redis"
)

// redisPrefix is what the names of all keys begin with.
const redisPrefix = "bench"

// redisGrowth measures one operation among more and more caches.
func redisGrowth(ctx context.Context, b *bench) (_ *report.Row, err error) {
	r := &report.Row{
		Name:  fmt.Sprintf("one of many caches of %d kB on a Redis server, in process, by loopback", cacheSize>>10),
		Bound: fmt.Sprintf("among %d caches at most %.2f × the time among %d, and the memory", crowdedAt[2], growthBound, crowdedAt[1]),
	}
	var variants []report.Variant
	var addresses []string
	for _, n := range crowdedAt {
		s, err := b.redisServer(ctx)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, s.end()) }()
		p, err := s.crowded(ctx, filepath.Join(b.dir, "redis", strconv.Itoa(n)), n)
		if err != nil {
			return nil, err
		}
		addresses = append(addresses, s.address)
		c := &caches{p, n}
		defer c.of.Close()
		variants = append(variants,
			report.Variant{Name: fmt.Sprintf("%6d caches, load", n), Once: report.Each(20, func() error { return c.load(ctx) })},
			report.Variant{Name: fmt.Sprintf("%6d caches, update", n), Once: report.Each(20, func() error { return c.save(ctx) })})
	}
	samples, err := report.Rounds(b.rounds, variants)
	if err != nil {
		return nil, err
	}
	for i, v := range variants {
		r.Add(v.Name, samples[i], "")
	}
	for i, what := range []string{"load", "update"} {
		growth := samples[4+i].Ratio(samples[2+i])
		r.Need(growth <= growthBound, "%s: %.3f ×", what, growth)
	}
	return r, remembering(ctx, r, "redis", addresses)
}

// crowded opens a store with n caches. But for the first, the server makes them
// itself: saving them one by one would take minutes.
func (s *redisServer) crowded(ctx context.Context, location string, n int) (*extensions.Persistence, error) {
	const copies = `
		local fields = redis.call('HGETALL', ARGV[1])
		for i = 1, tonumber(ARGV[2]) - 1 do
			redis.call('HSET', string.format(ARGV[3], i), unpack(fields))
		end`
	p, err := s.open(ctx, location)
	if err != nil {
		return nil, err
	}
	name := redisPrefix + ":" + personForm
	err = p.Key(person(0)).Save(ctx, cacheOf(0))
	if err == nil {
		_, err = s.ask(ctx, "eval", copies, "0", fmt.Sprintf(name, 0), strconv.Itoa(n), name)
	}
	if err == nil {
		_, err = p.Key(person(n - 1)).Load(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func (s *redisServer) open(ctx context.Context, location string) (*extensions.Persistence, error) {
	return openRedis(ctx, s.address, location, &extensions.Options{InProcess: []backend.Backend{redis.Backend()}})
}

func openRedis(ctx context.Context, address, location string, o *extensions.Options) (*extensions.Persistence, error) {
	o.Settings = map[string]backend.Settings{"redis": {"address": address, "prefix": redisPrefix}}
	return extensions.Open(ctx, "redis", location, o)
}

// redisChangers are the ways to change a token cache on a Redis server, and one
// in a file beside them.
var redisChangers = []string{"MSAL Python with redis-py", "redis, in process", "redis, plugin", "file, in process"}

// redisTogether has several processes change one cache at once. The usual way
// in Python is to load, change and store it, and the last one wins.
func redisTogether(ctx context.Context, b *bench) (*report.Row, error) {
	const all, entries = crowd * countersChanges, 100
	r := &report.Row{
		Name:  fmt.Sprintf("%d processes make %d changes each in one cache on a Redis server, beside MSAL Python with redis-py", crowd, countersChanges),
		Bound: fmt.Sprintf("ours keep all %d", all),
	}
	data, err := changeable(entries)
	if err != nil {
		return nil, err
	}
	kept := make([][]float64, len(redisChangers))
	var variants []report.Variant
	for i, kind := range redisChangers {
		variants = append(variants, report.Variant{Name: kind, Once: func() (time.Duration, error) {
			took, n, err := b.redisTogetherOnce(ctx, kind, data)
			kept[i] = append(kept[i], float64(n))
			return took, err
		}})
	}
	samples, err := report.Rounds(min(b.rounds, maxCrowdRounds), variants)
	if err != nil {
		return nil, err
	}
	for i, kind := range redisChangers {
		worst := slices.Min(kept[i])
		r.Add(kind, samples[i], fmt.Sprintf("lost at most %g of %d", all-worst, all))
		if i > 0 {
			r.Need(worst == all, "%s: kept at least %g of %d", kind, worst, all)
		}
	}
	return r, nil
}

// redisTogetherOnce is one crowd on a new cache.
func (b *bench) redisTogetherOnce(ctx context.Context, kind string, data []byte) (took time.Duration, kept int, err error) {
	if kind == "file, in process" {
		return b.together(ctx, "in process", filepath.Join(b.memory, "together"), data, countersChanges)
	}
	s, err := b.redisServer(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	location := filepath.Join(s.dir, "cache")
	if err := s.store(ctx, location, data, kind == redisChangers[0]); err != nil {
		return 0, 0, err
	}
	var all []*changer
	defer func() {
		for _, c := range all {
			err = errors.Join(err, c.end())
		}
	}()
	for i := range crowd {
		cmd := exec.CommandContext(ctx, filepath.Join(b.bin, "bench"), "redis", kind, s.address, location, strconv.Itoa(i), strconv.Itoa(countersChanges))
		if kind == redisChangers[0] {
			cmd = exec.CommandContext(ctx, b.python, filepath.Join(b.bin, "redispeer.py"), s.address, strconv.Itoa(i), strconv.Itoa(countersChanges))
		}
		c, err := startChanger(kind, cmd)
		if err != nil {
			return 0, 0, err
		}
		all = append(all, c)
	}
	took, err = ordered(all, countersChanges)
	if err != nil {
		return 0, 0, err
	}
	kept, err = s.changes(ctx, location, kind == redisChangers[0])
	return took, kept, err
}

// peerKey is where the program in Python keeps its cache, as a text.
const peerKey = "cache"

func (s *redisServer) store(ctx context.Context, location string, data []byte, peer bool) error {
	if peer { // too long for an argument
		_, port, _ := strings.Cut(s.address, ":")
		set := exec.CommandContext(ctx, "redis-cli", "-p", port, "-x", "set", peerKey)
		set.Stdin = bytes.NewReader(data)
		return set.Run()
	}
	p, err := s.open(ctx, location)
	if err != nil {
		return err
	}
	return errors.Join(p.Save(ctx, data), p.Close())
}

// changes counts the changes that the cache still has.
func (s *redisServer) changes(ctx context.Context, location string, peer bool) (int, error) {
	path := filepath.Join(s.dir, "after")
	text, err := s.ask(ctx, "get", peerKey)
	data := []byte(text)
	if !peer {
		p, err2 := s.open(ctx, location)
		if err2 != nil {
			return 0, err2
		}
		data, err = p.Load(ctx)
		err = errors.Join(err, p.Close())
	}
	if err := errors.Join(err, os.WriteFile(path, data, 0o600)); err != nil {
		return 0, err
	}
	return changesIn(path)
}

// redisChild is a changer of ours on a Redis server.
func redisChild(args []string) (err error) {
	ctx := context.Background()
	o := &extensions.Options{}
	if args[0] == "redis, in process" {
		o.InProcess = []backend.Backend{redis.Backend(), file.Backend()}
	}
	p, err := openRedis(ctx, args[1], args[2], o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	return obeying(ctx, p, args[3], args[4])
}
