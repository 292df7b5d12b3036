package main

import (
	"bufio"
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
	secretservice "github.com/msalext/msalext/plugins/libsecret"
)

const (
	secretSize = 10_000
	// systemPython has the bindings of libsecret, which are Debian's and for no
	// other interpreter.
	systemPython = "/usr/bin/python3"
)

// verbs are what is timed: a load, a save of something new.
var verbs = []string{"load", "save"}

// libsecret measures a load and a save in GNOME Keyring beside those of
// msal-extensions. The keyring writes its whole file at each save, durably where
// it lies on a disk, as it does for people. In memory it shows what ours spends
// on looking at what it overwrites: msal-extensions doesn't look.
func libsecret(ctx context.Context, b *bench) (*report.Row, error) {
	r := &report.Row{Name: fmt.Sprintf("%d kB in GNOME Keyring, beside LibsecretPersistence of msal-extensions for Python", secretSize/1000),
		Bound: "on disk, a load and a save together take at most its time, in process and through the plugin"}
	for _, dir := range []string{b.memory, b.dir} {
		samples, err := b.libsecretIn(ctx, r, filepath.Join(dir, "keyring"))
		if err != nil {
			return nil, err
		}
		for i, kind := range changers[1:] {
			both := float64(medians(samples[i+1])) / float64(medians(samples[0]))
			if dir == b.dir {
				r.Need(both <= 1, "on disk, %s: load and save take %.2f × its time", kind, both)
			}
			for v, verb := range verbs {
				r.Note("%s, %s: a %s takes %.2f × its time", fileSystem(dir), kind, verb, samples[i+1][v].Ratio(samples[0][v]))
			}
		}
	}
	return r, nil
}

// medians is the time of one load and one save.
func medians(of []report.Sample) (sum time.Duration) {
	for _, s := range of {
		sum += s.Median()
	}
	return sum
}

// libsecretIn measures all in one place: the samples of each of the changers, by
// verb.
func (b *bench) libsecretIn(ctx context.Context, r *report.Row, dir string) (all [][]report.Sample, failed error) {
	at := fileSystem(filepath.Dir(dir))
	address, stop, err := startKeyring(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() { failed = errors.Join(failed, stop()) }()
	var variants []report.Variant
	for _, kind := range changers {
		k, err := b.keeper(ctx, kind, address, filepath.Join(dir, kind))
		if err != nil {
			return nil, err
		}
		defer func() { failed = errors.Join(failed, k.end()) }()
		for _, verb := range verbs {
			variants = append(variants, report.Variant{
				Name: fmt.Sprintf("%s, %s, %s", at, kind, verb), Once: func() (time.Duration, error) { return k.timed(verb) },
			})
		}
	}
	samples, err := report.Rounds(b.rounds, variants)
	if err != nil {
		return nil, err
	}
	for i, v := range variants {
		r.Add(v.Name, samples[i], "")
	}
	return slices.Collect(slices.Chunk(samples, len(verbs))), nil
}

// keeper starts a program, and waits until it has saved once: how long it takes
// to start is another question.
func (b *bench) keeper(ctx context.Context, kind, address, location string) (*changer, error) {
	args := []string{location, strconv.Itoa(secretSize)}
	cmd := exec.CommandContext(ctx, filepath.Join(b.bin, "bench"), append([]string{"keep", kind}, args...)...)
	if kind == "msal-extensions" {
		packages, err := filepath.Glob(filepath.Join(filepath.Dir(b.python), "..", "lib", "python3*", "site-packages"))
		if err != nil || len(packages) != 1 {
			return nil, fmt.Errorf("BENCH_PYTHON is in no virtual environment: %q", packages)
		}
		cmd = exec.CommandContext(ctx, systemPython, append([]string{filepath.Join(b.bin, "libsecret.py")}, args...)...)
		cmd.Env = append(os.Environ(), "PYTHONPATH="+packages[0])
	}
	cmd.Env = append(cmd.Environ(), "DBUS_SESSION_BUS_ADDRESS="+address)
	return startChanger(kind, cmd)
}

// timed does it several times in a row, and returns what one took.
func (c *changer) timed(verb string) (time.Duration, error) {
	if _, err := fmt.Fprintln(c.in, verb, inARow); err != nil {
		return 0, err
	}
	took, err := c.done()
	return took / inARow, err
}

// keepChild is a keeper of ours; it does what libsecret.py does.
func keepChild(args []string) (err error) {
	ctx := context.Background()
	k, options := &keeping{}, &extensions.Options{}
	if args[0] == "in process" {
		options.InProcess = []backend.Backend{secretservice.Backend()}
	}
	if k.size, err = strconv.Atoi(args[2]); err != nil {
		return err
	}
	if k.at, err = extensions.Open(ctx, "libsecret", args[1], options); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.at.Close()) }()
	if err := k.at.Save(ctx, k.content()); err != nil {
		return err
	}
	fmt.Println("ready")
	for orders := bufio.NewScanner(os.Stdin); orders.Scan(); {
		verb, count, _ := strings.Cut(orders.Text(), " ")
		n, err := strconv.Atoi(count)
		if err != nil {
			return err
		}
		began := time.Now()
		for range n {
			if err := k.once(ctx, verb); err != nil {
				return err
			}
		}
		fmt.Println(time.Since(began).Nanoseconds())
	}
	return nil
}

type keeping struct {
	at   *extensions.Persistence
	size int
	made int
}

func (k *keeping) once(ctx context.Context, verb string) error {
	if verb == "save" {
		k.made++
		return k.at.Save(ctx, k.content())
	}
	data, err := k.at.Load(ctx)
	if err == nil && !bytes.Equal(data, k.content()) {
		err = errors.New("what was saved doesn't come back")
	}
	return err
}

// content is what is saved: different each time, and always as long.
func (k *keeping) content() []byte {
	return fmt.Appendf(nil, `{"AccessToken":{"%08d":"%s"}}`, k.made, strings.Repeat("m", k.size-30))
}
