package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/msalext/msalext/ci/bench/internal/report"
	"github.com/msalext/msalext/extensions/pluginhost"
)

const (
	trustBound = 1.10
	// untouched is longer than the host remembers no hash after a change: the
	// plugin may have been built just now.
	untouched = 7 * time.Second
)

// trust measures what it costs that only a plugin with a trusted hash may run.
func trust(ctx context.Context, b *bench) (*report.Row, error) {
	programs, err := b.trusting(ctx)
	if err != nil {
		return nil, err
	}
	time.Sleep(untouched)
	variants := variantsOf(ctx, programs)
	free := variants[1].Once
	variants[1].Once = func() (time.Duration, error) {
		if err := os.Setenv("MSALEXT_PLUGIN_POLICY", "pinned"); err != nil {
			return 0, err
		}
		took, err := free()
		return took, errors.Join(err, os.Unsetenv("MSALEXT_PLUGIN_POLICY"))
	}
	if _, err := variants[1].Once(); err != nil { // the start that reads the whole binary
		return nil, err
	}
	samples, err := report.Rounds(b.rounds, variants)
	if err != nil {
		return nil, err
	}
	r := &report.Row{
		Name:  fmt.Sprintf("from a fresh process to %d kB at hand, with a trusted hash", startSize/1000),
		Bound: fmt.Sprintf("from the second start on at most %.2f × our plugin where any may run", trustBound),
	}
	for i, p := range programs {
		r.Add(p.name, samples[i], "")
	}
	ratio := samples[1].Ratio(samples[0])
	r.Need(ratio <= trustBound, "with a trusted hash it is %.3f ×", ratio)
	r.Note("go-plugin with AutoMTLS and SecureConfig is %.3f ×", samples[2].Ratio(samples[0]))
	return r, nil
}

// trusting lists the programs, and trusts our plugin in a home of their own.
func (b *bench) trusting(ctx context.Context) ([]*program, error) {
	home := filepath.Join(b.dir, "trust")
	location := filepath.Join(home, "cache")
	if err := stored(ctx, location, make([]byte, startSize)); err != nil {
		return nil, err
	}
	if err := errors.Join(os.Setenv("XDG_DATA_HOME", home), os.Setenv("XDG_CACHE_HOME", home)); err != nil {
		return nil, err
	}
	if _, err := pluginhost.Trust(ctx, filepath.Join(b.bin, "msalext-plugins", "msalext-plugin-file")); err != nil {
		return nil, err
	}
	plugin := filepath.Join(b.bin, "stockplugin")
	binary, err := os.ReadFile(plugin)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(binary)
	with := func(name, title string, args ...string) *program {
		args = append([]string{filepath.Join(b.bin, name), "-location", location, "-size", strconv.Itoa(startSize)}, args...)
		return &program{name: title, args: args}
	}
	return []*program{
		with("ours", "our plugin, any may run"),
		with("ours", "our plugin, only a trusted hash may run"),
		with("stock", "go-plugin with AutoMTLS and SecureConfig", "-plugin", plugin, "-sha256", hex.EncodeToString(sum[:])),
	}, nil
}
