package keychain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// patience is how long macOS may take for a call without a dialog. It is less
// than the 3 s that the host allows under the lock, so that the error says
// what was silent.
const patience = 2500 * time.Millisecond

// store is one cache's items. Processes are kept apart by the host's lock.
type store struct {
	calls  security
	main   item
	closed atomic.Bool
	turn   chan struct{} // one call at a time, as comparing and writing are two
}

var (
	_ backend.Store    = (*store)(nil)
	_ backend.Unlocker = (*store)(nil)
	_ backend.Lister   = (*store)(nil)
)

func (s *store) Info() backend.Info {
	return backend.Info{
		Encrypted: true,
		Method:    "macOS login keychain",
		Against:   "other users, whoever has the disk without the login password, and programs that the item's access list doesn't name",
		Location:  fmt.Sprintf("login keychain, service %q, account %q", s.main.service, s.main.account),
		Stamp:     backend.StampSignal,
		Caps:      backend.CanUnlock | backend.CanList,
	}
}

// separator stands between the account and a further key's name.
const separator = ".key-"

// item is where the key lies. Further keys have accounts of their own.
func (s *store) item(key string) item {
	at := s.main
	if key != "" {
		at.account += separator + url.QueryEscape(key)
	}
	return at
}

func (s *store) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	data, err := run(ctx, s, func() ([]byte, error) { return s.read(key) })
	switch v := version(data); {
	case err != nil:
		return backend.Blob{}, fail("load", err)
	case v == have:
		return backend.Blob{Version: have, Unchanged: true}, nil
	default:
		return backend.Blob{Data: data, Version: v}, nil
	}
}

// read takes an empty item for none, as an empty file is one.
func (s *store) read(key string) ([]byte, error) {
	data, st := s.calls.read(s.item(key), false)
	if st == success && len(data) == 0 {
		st = itemNotFound
	}
	return data, st.err()
}

func (s *store) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	if len(data) == 0 {
		return backend.None, fail("save", &backend.Error{Kind: backend.ErrInvalid, Err: errors.New("no data"), Hint: "to remove an item, delete it"})
	}
	data = append([]byte(nil), data...) // the call may outlive ctx, and data is the caller's
	v, err := run(ctx, s, func() (backend.Version, error) { return version(data), s.write(key, data, base) })
	if err != nil {
		return backend.None, fail("save", err)
	}
	return v, nil
}

// write updates what is there: deleting and adding would lose the item's
// access list, and the item if the program ended in between.
func (s *store) write(key string, data []byte, base backend.Version) error {
	if err := s.expect(key, base); err != nil {
		return err
	}
	err := s.calls.update(s.item(key), data).err()
	if !is(err, itemNotFound) {
		return err
	}
	if base != backend.None { // removed meanwhile
		return backend.ErrConflict
	}
	return s.calls.add(s.item(key), data).err()
}

func (s *store) expect(key string, base backend.Version) error {
	data, err := s.read(key)
	if err != nil && !is(err, itemNotFound) {
		return err
	}
	if version(data) != base {
		return backend.ErrConflict
	}
	return nil
}

func (s *store) Delete(ctx context.Context, key string, base backend.Version) error {
	_, err := run(ctx, s, func() (struct{}, error) { return struct{}{}, s.remove(key, base) })
	return fail("delete", err)
}

func (s *store) remove(key string, base backend.Version) error {
	if err := s.expect(key, base); err != nil {
		return err
	}
	err := s.calls.remove(s.item(key)).err()
	if is(err, itemNotFound) && base == backend.None {
		return nil
	}
	if is(err, itemNotFound) {
		return backend.ErrConflict
	}
	return err
}

// Unlock asks for the keychain's password where it is locked, and for leave
// to read the item where another program made it. ErrDenied: the person said
// no. ErrLocked: there is no session to ask in.
func (s *store) Unlock(ctx context.Context) error {
	_, err := within(ctx, s, func() (struct{}, error) {
		if err := s.calls.unlock().err(); err != nil {
			return struct{}{}, err
		}
		_, st := s.calls.read(s.main, true)
		if st == itemNotFound {
			st = success
		}
		return struct{}{}, st.err()
	})
	return fail("unlock", err)
}

// Keys lists this cache's items, by their accounts. It reads none of them.
func (s *store) Keys(ctx context.Context, prefix string) iter.Seq2[backend.KeyInfo, error] {
	return func(yield func(backend.KeyInfo, error) bool) {
		accounts, err := run(ctx, s, s.accounts)
		if err != nil {
			yield(backend.KeyInfo{}, fail("list", err))
			return
		}
		for _, account := range accounts {
			key, ok := s.key(account)
			if ok && strings.HasPrefix(key, prefix) && !yield(backend.KeyInfo{Key: key, Size: -1}, nil) {
				return
			}
		}
	}
}

func (s *store) accounts() ([]string, error) {
	found, st := s.calls.accounts(s.main)
	if st == itemNotFound {
		return nil, nil
	}
	return found, st.err()
}

func (s *store) key(account string) (string, bool) {
	if account == s.main.account {
		return "", true
	}
	escaped, ok := strings.CutPrefix(account, s.main.account+separator)
	if !ok {
		return "", false
	}
	key, err := url.QueryUnescape(escaped)
	return key, err == nil && key != ""
}

// Close frees nothing: macOS keeps no state for us.
func (s *store) Close() error {
	s.closed.Store(true)
	return nil
}

// run is within for calls that show no dialog.
func run[T any](ctx context.Context, s *store, fn func() (T, error)) (T, error) {
	short, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	v, err := within(short, s, fn)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = &backend.Error{
			Kind: backend.ErrTimeout, Err: errors.New("the keychain doesn't answer"),
			Hint: "see whether a dialog of the keychain is open; else sign out of the desktop and in again",
		}
	}
	return v, err
}

// within returns when ctx ends, although Apple's calls can't be cancelled: the
// next call waits for the one that was left.
func within[T any](ctx context.Context, s *store, fn func() (T, error)) (T, error) {
	var none T
	if s.closed.Load() {
		return none, backend.ErrClosed
	}
	if err := ctx.Err(); err != nil { // rather than by chance of the select
		return none, err
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return none, ctx.Err()
	}
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		defer func() { <-s.turn }()
		v, err := fn()
		answers <- answer{v, err}
	}()
	select {
	case a := <-answers:
		return a.value, a.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

func version(data []byte) backend.Version {
	if len(data) == 0 {
		return backend.None
	}
	sum := sha256.Sum256(data)
	return backend.Version(hex.EncodeToString(sum[:]))
}
