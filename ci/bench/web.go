package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/msalext/msalext/ci/bench/internal/report"
	"github.com/msalext/msalext/msal/msaltest"
)

// webSizes are the numbers of people who are signed in.
var webSizes = []int{1, 1000, 100_000}

const (
	webBurstLasts = 2 * time.Second
	maxWebRounds  = 5
)

// webRow measures a handler of a web app that looks up its user's token, among
// more and more who are signed in.
func webRow(ctx context.Context, b *bench) (*report.Row, error) {
	r := &report.Row{
		Name:  fmt.Sprintf("requests a second, and what 99 %% of %d at once wait, of a handler that looks up its user's token; sessions and tokens on Redis, one process", webClients),
		Bound: fmt.Sprintf("among %d sessions more requests a second than aiohttp_msal, and a shorter wait", webSizes[len(webSizes)-1]),
	}
	peer := os.Getenv("BENCH_WEB_PYTHON")
	if peer == "" {
		return nil, errors.New("BENCH_WEB_PYTHON isn't set: ci/bench/run sets it, where there is Python 3.12 or later")
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	if err := os.Setenv(webKey, base64.StdEncoding.EncodeToString(key)); err != nil {
		return nil, err
	}
	for _, n := range webSizes {
		if err := b.webAt(ctx, r, peer, n); err != nil {
			return nil, fmt.Errorf("%d sessions: %w", n, err)
		}
	}
	return r, nil
}

// webAt measures with that many sessions.
func (b *bench) webAt(ctx context.Context, r *report.Row, peer string, n int) (err error) {
	fake := msaltest.New(&msaltest.Options{ExpiresIn: 24 * time.Hour})
	defer fake.Close()
	ours, err := b.webOurs(ctx, fake, n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ours.end()) }()
	theirs, err := b.webTheirs(ctx, fake, peer, n)
	if err != nil {
		return fmt.Errorf("aiohttp_msal: %w", err)
	}
	defer func() { err = errors.Join(err, theirs.end()) }()
	results := map[string][]webResult{}
	h := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: webClients}}
	asked := fake.Count(msaltest.KindDiscovery)
	var discoveries [2]int
	paths := []string{"/open", "/session", "/token"}
	for range min(b.rounds, maxWebRounds) + 1 { // one is to warm up
		for i, s := range []*webProcess{ours, theirs} {
			for _, path := range paths {
				result, err := webBurst(ctx, h, s.base+path, s.cookies, webBurstLasts)
				if err != nil {
					return err
				}
				results[s.name+path] = append(results[s.name+path], result)
			}
			discoveries[i] += fake.Count(msaltest.KindDiscovery) - asked
			asked = fake.Count(msaltest.KindDiscovery)
		}
	}
	b.webReport(r, n, paths, results)
	r.Note("requests to the identity provider meanwhile: ours %d, aiohttp_msal %d", discoveries[0], discoveries[1])
	return nil
}

func (b *bench) webReport(r *report.Row, n int, paths []string, results map[string][]webResult) {
	rates := map[string]float64{}
	waits := map[string]time.Duration{}
	words := map[string]string{"/open": "without authentication", "/session": "signed in", "/token": "with the token"}
	for _, name := range []string{"ours", "aiohttp_msal"} {
		for _, path := range paths {
			var perSecond []float64
			var p99 report.Sample
			for _, one := range results[name+path][1:] {
				perSecond, p99 = append(perSecond, one.perSecond), append(p99, one.p99)
			}
			rates[name+path], waits[name+path] = report.Middle(perSecond), p99.Median()
			label := fmt.Sprintf("%6d, %s, %s", n, name, words[path])
			r.Count(label+": a second", perSecond, "")
			r.Add(label+": p99", p99, "")
		}
	}
	const ours, theirs = "ours/token", "aiohttp_msal/token"
	verdict := fmt.Sprintf("at %d sessions %.1f × as many requests a second (%.0f to %.0f), p99 %s to %s", n,
		rates[ours]/rates[theirs], rates[ours], rates[theirs], report.Short(waits[ours]), report.Short(waits[theirs]))
	if n == webSizes[len(webSizes)-1] {
		r.Need(rates[ours] > rates[theirs] && waits[ours] < waits[theirs], "%s", verdict)
		return
	}
	r.Note("%s", verdict)
}

// webProcess is an app, with a Redis server of its own.
type webProcess struct {
	name    string
	base    string
	cookies []string
	cmd     *exec.Cmd
	in      io.Closer
	redis   *redisServer
}

func (p *webProcess) end() error { return errors.Join(p.in.Close(), p.cmd.Wait(), p.redis.end()) }

// webStart starts an app, which prints its address first; what follows is for
// the caller.
func (b *bench) webStart(ctx context.Context, name string, command func(*redisServer) *exec.Cmd) (*webProcess, *bufio.Reader, error) {
	server, err := b.redisServer(ctx)
	if err != nil {
		return nil, nil, err
	}
	p := &webProcess{name: name, cmd: command(server), redis: server}
	p.cmd.Stderr = os.Stderr
	var out io.Reader
	if p.in, err = p.cmd.StdinPipe(); err == nil {
		out, err = p.cmd.StdoutPipe()
	}
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		return nil, nil, errors.Join(err, server.end())
	}
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	p.base = strings.TrimSpace(line)
	if err != nil {
		return nil, nil, errors.Join(err, p.end())
	}
	return p, lines, nil
}

func (b *bench) webOurs(ctx context.Context, fake *msaltest.Server, n int) (*webProcess, error) {
	location := filepath.Join(b.dir, "web", strconv.Itoa(n))
	p, _, err := b.webStart(ctx, "ours", func(s *redisServer) *exec.Cmd {
		cmd := exec.CommandContext(ctx, filepath.Join(b.bin, "bench"), "web", s.address, location)
		cmd.Env = append(os.Environ(), fake.Env()...)
		return cmd
	})
	if err != nil {
		return nil, err
	}
	tokens, err := webTokens(ctx, p.redis.address, location)
	if err == nil {
		err = webSignIn(ctx, p.base, fake, "alice@contoso.example")
	}
	if err == nil {
		p.cookies, err = webFill(ctx, p.redis.address, tokens, n)
	}
	if tokens != nil {
		err = errors.Join(err, tokens.Close())
	}
	if err != nil {
		return nil, errors.Join(err, p.end())
	}
	return p, nil
}

func (b *bench) webTheirs(ctx context.Context, fake *msaltest.Server, python string, n int) (*webProcess, error) {
	certificate := filepath.Join(b.dir, "certificate.pem")
	if err := os.WriteFile(certificate, fake.CertificatePEM(), 0o600); err != nil {
		return nil, err
	}
	p, lines, err := b.webStart(ctx, "aiohttp_msal", func(s *redisServer) *exec.Cmd {
		return exec.CommandContext(ctx, python, "-W", "ignore", filepath.Join(b.bin, "webpeer.py"), s.address, fake.Authority(), certificate, strconv.Itoa(n))
	})
	if err != nil {
		return nil, err
	}
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return nil, errors.Join(err, p.end())
		}
		if line = strings.TrimSpace(line); line == "" {
			return p, nil
		}
		p.cookies = append(p.cookies, line)
	}
}
