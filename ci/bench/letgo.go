package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/msalext/msalext/ci/bench/internal/report"
	"github.com/msalext/msalext/ci/bench/internal/stock"
	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/pluginhost"
)

const (
	letGoBound = 1.0 / 3
	letGoAfter = 2 * time.Second
)

// parting is what row 5 works with.
type parting struct {
	bench    *bench
	location string
	closed   report.Sample // until Host.Close returned
}

// letGo measures what a program waits to be rid of a plugin.
func letGo(ctx context.Context, b *bench) (*report.Row, error) {
	p := &parting{bench: b, location: filepath.Join(b.dir, "letgo", "cache")}
	if err := stored(ctx, p.location, []byte("{}")); err != nil {
		return nil, err
	}
	samples, err := report.Rounds(b.rounds, []report.Variant{
		{Name: "Persistence.Close", Once: func() (time.Duration, error) { return p.ours(ctx) }},
		{Name: "go-plugin's Kill, stock plugin", Once: p.stock},
	})
	if err != nil {
		return nil, err
	}
	r := &report.Row{Name: "letting go of a plugin", Bound: fmt.Sprintf(
		"at most a third of go-plugin's own Kill; %v later no process, zombie or directory", letGoAfter)}
	r.Add("Persistence.Close", samples[0], "until all was gone (Host.Close) "+report.Short(p.closed[1:].Median()))
	r.Add("go-plugin's Kill, stock plugin", samples[1], "")
	ratio := samples[0].Ratio(samples[1])
	r.Need(ratio <= letGoBound, "Close is %.3f × Kill", ratio)
	left, err := p.left(ctx)
	if err != nil {
		return nil, err
	}
	r.Need(len(left) == 0, "%v after 20 were let go, of them is left: %q", letGoAfter, left)
	return r, nil
}

// open starts a plugin of its own and uses it.
func (p *parting) open(ctx context.Context) (*pluginhost.Host, *extensions.Persistence, error) {
	host := pluginhost.New(nil)
	item, err := extensions.Open(ctx, "file", p.location, &extensions.Options{Host: host})
	if err != nil {
		return nil, nil, errors.Join(err, host.Close())
	}
	_, err = item.Load(ctx)
	return host, item, err
}

func (p *parting) ours(ctx context.Context) (time.Duration, error) {
	host, item, err := p.open(ctx)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	err = item.Close()
	took := time.Since(began)
	err = errors.Join(err, host.Close())
	p.closed = append(p.closed, time.Since(began))
	return took, err
}

func (p *parting) stock() (time.Duration, error) {
	client := stock.Client(filepath.Join(p.bench.bin, "stockplugin"), nil, nil)
	_, err := stock.Load(client, p.location)
	began := time.Now()
	client.Kill()
	return time.Since(began), err
}

// left lets plugins go without waiting for their end, and looks what there is
// of them after a while.
func (p *parting) left(ctx context.Context) ([]string, error) {
	plugin := filepath.Join(p.bench.bin, "msalext-plugins", "msalext-plugin-file")
	for range 20 {
		_, item, err := p.open(ctx)
		if err != nil {
			return nil, err
		}
		if len(leftovers(plugin)) == 0 {
			return nil, fmt.Errorf("no process of %s is found while it runs", plugin)
		}
		if err := item.Close(); err != nil {
			return nil, err
		}
	}
	time.Sleep(letGoAfter)
	left := leftovers(plugin)
	entries, err := os.ReadDir(p.bench.sockets())
	for _, e := range entries {
		left = append(left, "directory "+e.Name())
	}
	return left, err
}
