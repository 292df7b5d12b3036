//go:build chaos

package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"os"
	"syscall"
	"time"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/extensions/tokencache"
)

// The children of a storm: they write or read until their input ends, and
// tell what they do, one write call a line.

// ended is closed when the parent closes our input.
func ended() <-chan struct{} {
	over := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(over)
	}()
	return over
}

func over(end <-chan struct{}) bool {
	select {
	case <-end:
		return true
	default:
		return false
	}
}

// phase is where a writer is, in memory that the parent can read after its
// death without a system call here.
type phase []byte

var phases = []string{"opening", "idle", "lock", "load", "save", "release"}

const (
	opening = iota
	idle
	locking
	loading
	saving
	releasing
)

func phaseIn(path string) (phase, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return syscall.Mmap(int(f.Fd()), 0, 1, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
}

func (p phase) is(now byte) { p[0] = now }

func (p phase) trace() *persist.Trace {
	return &persist.Trace{
		LockWait: func(persist.Event) { p.is(loading) },
		Save:     func(persist.Event) { p.is(releasing) },
		Conflict: func(persist.Event) { p.is(locking) },
	}
}

// writeChild is a writer: way, location, file of its phase.
func writeChild(args []string) (err error) {
	ph, err := phaseIn(args[2])
	if err != nil {
		return err
	}
	p, closeAll, err := open(args[0], args[1], ph.trace())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAll()) }()
	c := persist.NewPersistedTokenCache(p, nil)
	fmt.Println(ready)
	for i, end := 0, ended(); !over(end); i++ {
		ph.is(locking)
		if i%2 == 0 {
			report(change(p, ph))
		} else {
			report(modify(c, ph))
		}
		ph.is(idle)
		time.Sleep(time.Duration(mathrand.IntN(2000)) * time.Microsecond)
	}
	return nil
}

func report(sum string, err error) {
	if err != nil {
		fmt.Println(failed, backend.KindOf(err), err)
		return
	}
	fmt.Println(done, sum)
}

// change adds a link to the chain by Update.
func change(p *extensions.Persistence, ph phase) (sum string, err error) {
	err = p.Update(context.Background(), func(old []byte) ([]byte, error) {
		s, data, err := next(old)
		fmt.Println(meant, s.Sum, s.Prev)
		sum = s.Sum
		ph.is(saving)
		return data, err
	})
	return sum, err
}

// modify does the same by way of the token cache.
func modify(c *extensions.PersistedTokenCache, ph phase) (sum string, err error) {
	err = c.Modify(context.Background(), func(tc *tokencache.TokenCache) error {
		old := tc.Serialize()
		if string(old) == "{}" {
			old = nil
		}
		s, data, err := next(old)
		if err != nil {
			return err
		}
		fmt.Println(meant, s.Sum, s.Prev)
		sum = s.Sum
		ph.is(saving)
		return tc.Deserialize(data)
	})
	return sum, err
}

// readChild reads in each way there is, and never sees an older state after a
// newer one: way, location.
func readChild(args []string) (err error) {
	p, closeAll, err := open(args[0], args[1], nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAll()) }()
	c := persist.NewPersistedTokenCache(p, nil)
	fmt.Println(ready)
	var last state
	for i, end := 0, ended(); !over(end); i++ {
		data, err := readSomehow(i, p, c, args[1])
		s, perr := parse(data)
		switch {
		case err != nil:
			fmt.Println(failed, backend.KindOf(err), err)
		case perr != nil:
			fmt.Println(wrong, perr)
		case s.N < last.N:
			fmt.Println(wrong, "state", s.N, "was read after", last.N)
		case s.N > last.N:
			fmt.Println(seen, s.Sum)
			last = s
		}
		time.Sleep(300 * time.Microsecond)
	}
	return nil
}

func readSomehow(i int, p *extensions.Persistence, c *extensions.PersistedTokenCache, location string) ([]byte, error) {
	switch i % 3 {
	case 0:
		v, err := c.View(context.Background())
		return v.Bytes(), err
	case 1:
		data, err := p.Load(context.Background())
		if errors.Is(err, backend.ErrNotFound) {
			err = nil
		}
		return data, err
	}
	data, err := os.ReadFile(location) // as any program would
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return data, err
}

// onceChild starts, writes once, and ends: way, location.
func onceChild(args []string) error {
	p, closeAll, err := open(args[0], args[1], nil)
	if err != nil {
		return err
	}
	sum, err := change(p, make(phase, 1))
	if err := errors.Join(err, closeAll()); err != nil {
		return err
	}
	fmt.Println(done, sum)
	return nil
}
