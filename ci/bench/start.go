package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/msalext/msalext/ci/bench/internal/command"
	"github.com/msalext/msalext/ci/bench/internal/report"
	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/plugins/file"
)

const (
	startSize   = 200_000
	ownWork     = 5 * time.Millisecond
	startBound  = 1.15
	behindBound = 1.6
)

// The places of those programs, in the list, that the bounds are about.
const (
	byPlugin         = 2
	byStock          = 3
	byPluginBehind   = 6
	inProcessAndWork = 7
)

// A program is one way to come by the data.
type program struct {
	name string
	args []string

	ended report.Sample // until the process had ended
}

// start measures from before a process is started until it has its data.
func start(ctx context.Context, b *bench) (*report.Row, error) {
	programs, err := b.programs(ctx)
	if err != nil {
		return nil, err
	}
	samples, err := report.Rounds(b.rounds, variantsOf(ctx, programs))
	if err != nil {
		return nil, err
	}
	r := &report.Row{
		Name: fmt.Sprintf("from a fresh process to %d kB at hand", startSize/1000),
		Bound: fmt.Sprintf("our plugin at most %.2f × stock go-plugin; with %v of work and Background at most %.1f × the same command in process",
			startBound, ownWork, behindBound),
	}
	for i, p := range programs {
		r.Add(p.name, samples[i], "ended after "+report.Short(p.ended[1:].Median()))
	}
	plain := samples[byPlugin].Ratio(samples[byStock])
	r.Need(plain <= startBound, "our plugin is %.3f × stock go-plugin", plain)
	behind := samples[byPluginBehind].Ratio(samples[inProcessAndWork])
	r.Need(behind <= behindBound, "with work and Background it is %.3f × the command in process", behind)
	return r, nil
}

// programs lists the variants.
func (b *bench) programs(ctx context.Context) ([]*program, error) {
	location := filepath.Join(b.dir, "start", "cache")
	if err := stored(ctx, location, bytes.Repeat([]byte("0123456789abcdef"), startSize/16)); err != nil {
		return nil, err
	}
	plugin := filepath.Join(b.bin, "stockplugin")
	binary, err := os.ReadFile(plugin)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(binary)
	size := strconv.Itoa(startSize)
	with := func(name, title string, args ...string) *program {
		args = append([]string{filepath.Join(b.bin, name), "-location", location, "-size", size}, args...)
		return &program{name: title, args: args}
	}
	work := strconv.Itoa(blocksIn(ownWork))
	return []*program{
		with("inprocess", "in process, no gRPC in the program"),
		with("ours", "in process", "-linked"),
		with("ours", "our plugin"),
		with("stock", "stock go-plugin, one Load", "-plugin", plugin),
		with("stock", "go-plugin with AutoMTLS and SecureConfig", "-plugin", plugin, "-sha256", hex.EncodeToString(sum[:])),
		{name: "Python, msal-extensions", args: []string{b.python, filepath.Join(b.bin, "load.py"), location, size}},
		with("ours", "our plugin, own work, Background", "-background", "-work", work),
		with("ours", "in process, own work", "-linked", "-work", work),
		with("ours", "our plugin, own work", "-work", work),
	}, nil
}

// stored saves data as a program of a user does, record and all.
func stored(ctx context.Context, location string, data []byte) error {
	p, err := extensions.Open(ctx, "file", location, &extensions.Options{InProcess: []backend.Backend{file.Backend()}})
	if err != nil {
		return err
	}
	return errors.Join(p.Save(ctx, data), p.Close())
}

// blocksIn is how much command.Work does in a time, at its fastest.
func blocksIn(d time.Duration) int {
	const blocks = 200
	best := time.Duration(1 << 62)
	for range 50 {
		began := time.Now()
		command.Work(blocks)
		best = min(best, time.Since(began))
	}
	return int(d * blocks / best)
}

func variantsOf(ctx context.Context, programs []*program) []report.Variant {
	var variants []report.Variant
	for _, p := range programs {
		variants = append(variants, report.Variant{Name: p.name, Once: func() (time.Duration, error) { return p.run(ctx) }})
	}
	return variants
}

// run starts the program and returns what it took until it said that it has
// its data.
func (p *program) run(ctx context.Context) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, p.args[0], p.args[1:]...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	_, readErr := out.Read(make([]byte, 1))
	took := time.Since(began)
	err = cmd.Wait()
	p.ended = append(p.ended, time.Since(began))
	return took, errors.Join(err, readErr)
}
