package extensions

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/pluginhost"
	"github.com/msalext/msalext/internal/record"
)

// BuildPersistence returns the store that suits this machine: dpapi on
// Windows, keychain on macOS, libsecret elsewhere, or the first of
// Options.Candidates that works; then what Options.FallbackToKernelKeyring and
// FallbackToPlaintext allow. About the location see Open.
//
// Where a backend is recorded beside the location, because an earlier run
// stored something with it, that one is used or nothing. Else each candidate
// is opened and probed in turn. The next one is tried only where a backend is
// missing: ErrUnavailable, ErrUnsupported or ErrPluginNotFound while opening
// it. A store that is locked, denied, slow, damaged, refused or crashes ends
// the choice, since stepping down would scatter tokens or bare them.
//
// Where none works the error is a *SelectionError.
func BuildPersistence(ctx context.Context, location string, opts *Options) (*Persistence, error) {
	o, path, err := prepare(location, opts)
	if err != nil {
		return nil, err
	}
	return o.maybeLater(ctx, func(ctx context.Context) (*Persistence, error) {
		return o.choose(ctx, location, path)
	})
}

func (o *Options) choose(ctx context.Context, location, path string) (*Persistence, error) {
	was, err := record.Read(path)
	if err != nil {
		return nil, err
	}
	if was != (record.Record{}) {
		return o.reopen(ctx, location, path, was)
	}
	failed := &SelectionError{Location: location, further: o.further()}
	names := o.candidates()
	for i, name := range names {
		p, err := o.try(ctx, name, location, path)
		if err == nil {
			return p, nil
		}
		failed.add(name, err)
		if !missing(err) || i+1 == len(names) {
			break
		}
		if err := outOfRoom(path, err); err != nil {
			failed.add(names[i+1], &faulty{err}) // as it will answer
			break
		}
	}
	return nil, failed.at(path)
}

// try opens a backend and sees whether it works. A store that could be opened
// isn't missing, whatever it answers then.
func (o *Options) try(ctx context.Context, name, location, path string) (*Persistence, error) {
	p, err := o.open(ctx, name, location, path)
	if err != nil {
		return nil, err
	}
	if err := p.Verify(ctx); err != nil {
		return nil, &faulty{errors.Join(err, p.Close())}
	}
	return p, nil
}

// faulty is the failure of a store that is there.
type faulty struct{ error }

func (f *faulty) Unwrap() error { return f.error }

// reopen opens the backend that an earlier run used, if it is a candidate.
func (o *Options) reopen(ctx context.Context, location, path string, was record.Record) (*Persistence, error) {
	names := o.candidates()
	if !slices.Contains(names, was.Backend) {
		return nil, was.Admits(path, record.Record{Backend: strings.Join(names, " or ")})
	}
	failed := &SelectionError{Location: location}
	p, err := o.open(ctx, was.Backend, location, path)
	if err != nil {
		failed.add(was.Backend, err)
		return nil, failed.at(path)
	}
	if err := was.Admits(path, record.Record{Backend: p.Backend(), Encrypted: p.IsEncrypted()}); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// missing tells whether err says that a backend isn't there, as opposed to one
// that is there and doesn't work.
func missing(err error) bool {
	if f := (*faulty)(nil); pluginhost.Faulty(err) || errors.As(err, &f) {
		return false
	}
	switch backend.KindOf(err) {
	case backend.ErrUnavailable, backend.ErrUnsupported, backend.ErrPluginNotFound:
		return true
	}
	return false
}

// outOfRoom tells of a location that takes no files for the moment. A backend
// that keeps its files there answers ErrUnavailable then, as one that isn't
// there does; and across a process border nothing else tells them apart.
func outOfRoom(path string, err error) error {
	if backend.KindOf(err) != backend.ErrUnavailable {
		return nil
	}
	if err := record.Room(path); backend.KindOf(err) == backend.ErrUnavailable {
		return err
	}
	return nil
}

// SelectionError says why no backend could be chosen.
type SelectionError struct {
	Location   string
	Candidates []Candidate // those that were tried, in order
	// Hints say, in one sentence each, what of the machine and the session may
	// explain it: a container, an SSH session, a file system that is read-only.
	Hints []string

	further []string // what the application could allow where a backend is missing
}

// Candidate is a backend that was tried.
type Candidate struct {
	Backend string
	Reason  error  // why it wasn't chosen
	Remedy  string // what to do about it; empty: the reason says all
}

func (e *SelectionError) add(name string, err error) {
	c := Candidate{Backend: name, Reason: err}
	if be := (*backend.Error)(nil); errors.As(err, &be) {
		c.Remedy = be.Hint
	}
	e.Candidates = append(e.Candidates, c)
}

// at adds what the situation explains.
func (e *SelectionError) at(path string) *SelectionError {
	e.Hints = here().hints(path, e.Candidates)
	return e
}

// Error has one line for each candidate, one for each hint, and one on what
// else could be done.
func (e *SelectionError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "msalext: no backend can keep the token cache at %s", e.Location)
	for _, c := range e.Candidates {
		fmt.Fprintf(&b, "\n  %s: %v", c.Backend, c.Reason)
	}
	for _, hint := range e.Hints {
		fmt.Fprintf(&b, "\n  here: %s", hint)
	}
	if missing(e.last()) {
		for _, way := range e.further {
			fmt.Fprintf(&b, "\n  %s", way)
		}
	}
	return b.String()
}

// further lists the candidates that the application didn't allow.
func (o *Options) further() (ways []string) {
	if runtime.GOOS == "linux" && !o.FallbackToKernelKeyring && o.Envelope == nil && o.Preset == "" {
		ways = append(ways, "encrypted until the next reboot: Options.FallbackToKernelKeyring allows a file with its key in the kernel")
	}
	if !o.FallbackToPlaintext && o.Envelope == nil {
		ways = append(ways, "without encryption: Options.FallbackToPlaintext allows the file backend")
	}
	return ways
}

func (e *SelectionError) last() error {
	if len(e.Candidates) == 0 {
		return backend.ErrUnsupported
	}
	return e.Candidates[len(e.Candidates)-1].Reason
}

// Unwrap returns the candidates' reasons, so that errors.Is finds each.
func (e *SelectionError) Unwrap() []error {
	var errs []error
	for _, c := range e.Candidates {
		errs = append(errs, c.Reason)
	}
	return errs
}
