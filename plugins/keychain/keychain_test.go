package keychain

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/backendtest"
)

// harness can lock the keychain.
type harness struct {
	*backendtest.Opener
	calls *fake
}

func newHarness() *harness {
	calls := newFake()
	return &harness{&backendtest.Opener{Backend: keychainBackend{calls}}, calls}
}

func newFake() *fake { return &fake{foreign: map[string]bool{}} }

func (h *harness) Open(t backendtest.T) backend.Store {
	h.lock(false)
	return h.Opener.Open(t)
}

func (h *harness) OpenLocked(t backendtest.T) backend.Store {
	s := h.Open(t)
	h.lock(true)
	return s
}

func (h *harness) lock(locked bool) {
	h.calls.mu.Lock()
	defer h.calls.mu.Unlock()
	h.calls.locked = locked
}

func TestConformance(t *testing.T) {
	t.Parallel()
	backendtest.Run(t, newHarness())
}

func open(t *testing.T, calls security, location string, settings backend.Settings) backend.Store {
	t.Helper()
	s, err := keychainBackend{calls}.Open(t.Context(), backend.Config{
		Location: location, Path: filepath.Join(t.TempDir(), "cache"), Settings: settings,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func save(t *testing.T, s backend.Store, data string) backend.Version {
	t.Helper()
	v, err := s.Save(t.Context(), "", []byte(data), backend.None)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Python derives the account from the location exactly as it was written.
func TestNamesOfPython(t *testing.T) {
	t.Parallel()
	for _, location := range []string{"~/.cache/app", "cache.bin", "/home/u/.cache/app", "ü"} {
		calls := newFake()
		save(t, open(t, calls, location, nil), "data")
		sum := sha256.Sum256([]byte(location))
		if got := calls.items[0]; got.service != "msal-extensions" || got.account != hex.EncodeToString(sum[:]) || string(got.data) != "data" {
			t.Errorf("%s: %+v", location, got)
		}
	}
}

func TestNamesOfSettings(t *testing.T) {
	t.Parallel()
	calls := newFake()
	save(t, open(t, calls, "x", backend.Settings{
		"service": "S", "account": "A", "label": "L", "access-group": "G", "accessibility": "when-unlocked",
	}), "data")
	if got, want := calls.items[0].item, (item{"S", "A", "L", "G", "when-unlocked"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// macOS takes an empty account for any: an item of the same service must
// neither be read nor written instead.
func TestEmptyAccountIsNoWildcard(t *testing.T) {
	t.Parallel()
	calls := newFake()
	calls.items = []stored{{item{service: "S", account: "somebody's"}, []byte("THEIRS")}}
	s := open(t, calls, "x", backend.Settings{"service": "S", "account": ""})
	if _, err := s.Load(t.Context(), "", backend.None); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("load: %v", err)
	}
	save(t, s, "ours")
	if string(calls.items[0].data) != "THEIRS" || len(calls.items) != 2 {
		t.Errorf("%+v", calls.items)
	}
}

// Two that write first at once: one wins, the other is told, and one item is
// left.
func TestTwoFirstWriters(t *testing.T) {
	t.Parallel()
	calls := newFake()
	ours, theirs := open(t, calls, "x", nil), open(t, calls, "x", nil)
	calls.beforeAdd = func() {
		calls.beforeAdd = nil
		save(t, theirs, "theirs")
	}
	if _, err := ours.Save(t.Context(), "", []byte("ours"), backend.None); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("save: %v", err)
	}
	if len(calls.items) != 1 || string(calls.items[0].data) != "theirs" {
		t.Errorf("%+v", calls.items)
	}
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		status status
		kind   error
		says   string
	}{
		{interactionNotAllowed, backend.ErrLocked, "security unlock-keychain"},
		{userCanceled, backend.ErrDenied, "Unlock again"},
		{authFailed, backend.ErrDenied, "password"},
		{noAccessForItem, backend.ErrDenied, "Access Control"},
		{missingEntitlement, backend.ErrDenied, "entitlement"},
		{notAvailable, backend.ErrUnavailable, "session"},
		{noDefaultKeychain, backend.ErrUnavailable, "default-keychain"},
		{invalidKeychain, backend.ErrCorrupt, "backup"},
		{undecodable, backend.ErrDecrypt, "kept"},
		{-50, backend.ErrUnavailable, "security error -50"},
	}
	for _, tt := range tests {
		calls := newFake()
		s := open(t, calls, "x", nil)
		v := save(t, s, "data")
		calls.fails = map[string]status{"read": tt.status, "update": tt.status, "remove": tt.status, "accounts": tt.status, "unlock": tt.status}
		_, load := s.Load(t.Context(), "", backend.None)
		_, save := s.Save(t.Context(), "", []byte("new"), v)
		for call, err := range map[string]error{
			"load": load, "save": save, "delete": s.Delete(t.Context(), "", v), "unlock": s.(backend.Unlocker).Unlock(t.Context()),
		} {
			e := (*backend.Error)(nil)
			if !errors.Is(err, tt.kind) || !errors.As(err, &e) || e.Backend != name || e.Op != call || !strings.Contains(e.Hint, tt.says) {
				t.Errorf("%d, %s: %v", tt.status, call, err)
			}
		}
		if string(calls.items[0].data) != "data" {
			t.Errorf("%d: the item changed", tt.status)
		}
	}
}

// Only Unlock shows dialogs, also for an item that another program made.
func TestDialogs(t *testing.T) {
	t.Parallel()
	calls := newFake()
	s := open(t, calls, "x", backend.Settings{"account": "A"})
	v := save(t, s, "data")
	calls.foreign["A"] = true
	if _, err := s.Load(t.Context(), "", backend.None); !errors.Is(err, backend.ErrLocked) {
		t.Errorf("load: %v", err)
	}
	if err := s.Delete(t.Context(), "", v); !errors.Is(err, backend.ErrLocked) || calls.dialogs != 0 {
		t.Errorf("delete: %v, %d dialogs", err, calls.dialogs)
	}
	calls.answer = userCanceled
	if err := s.(backend.Unlocker).Unlock(t.Context()); !errors.Is(err, backend.ErrDenied) || calls.dialogs != 1 {
		t.Errorf("dismissed: %v, %d dialogs", err, calls.dialogs)
	}
	calls.answer = success
	if err := s.(backend.Unlocker).Unlock(t.Context()); err != nil {
		t.Errorf("allowed: %v", err)
	}
	if blob, err := s.Load(t.Context(), "", backend.None); err != nil || string(blob.Data) != "data" {
		t.Errorf("load: %q, %v", blob.Data, err)
	}
}

// stuck never answers until it is let go.
type stuck struct {
	*fake
	free chan struct{}
}

func (s stuck) read(i item, ask bool) ([]byte, status) {
	<-s.free
	return s.fake.read(i, ask)
}

func TestSilence(t *testing.T) {
	t.Parallel()
	calls := stuck{newFake(), make(chan struct{})}
	s := open(t, calls, "x", nil)
	if _, err := s.Load(t.Context(), "", backend.None); !errors.Is(err, backend.ErrTimeout) {
		t.Errorf("silent: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Load(ctx, "", backend.None); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	close(calls.free)
	if _, err := s.Load(t.Context(), "", backend.None); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("awake: %v", err)
	}
}

// Data belongs to the caller again when Save returns, even from a call that
// is still under way.
func TestAbandonedSaveKeepsItsData(t *testing.T) {
	t.Parallel()
	calls := stuck{newFake(), make(chan struct{})}
	s := open(t, calls, "x", nil)
	ctx, cancel := context.WithCancel(t.Context())
	context.AfterFunc(ctx, func() { close(calls.free) })
	data := []byte("ours")
	go cancel()
	_, _ = s.Save(ctx, "", data, backend.None)
	copy(data, "XXXX")
	blob, err := s.Load(t.Context(), "", backend.None)
	if err == nil && !bytes.Equal(blob.Data, []byte("ours")) {
		t.Errorf("stored %q", blob.Data)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string]backend.Settings{
		"accessibility": {"accessibility": "always"},
		"unknown":       {"colour": "red"},
		"NUL":           {"account": "a\x00b"},
		"not text":      {"service": "\xff"},
	} {
		if _, err := (keychainBackend{newFake()}).Open(t.Context(), backend.Config{Location: "x", Settings: settings}); !errors.Is(err, backend.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := keychainBackend{}.Open(t.Context(), backend.Config{Location: "x"})
	if e := (*backend.Error)(nil); !errors.Is(err, backend.ErrUnsupported) || !errors.As(err, &e) || e.Hint == "" {
		t.Errorf("without the framework: %v", err)
	}
	if err := unsupported("darwin"); !strings.Contains(err.Error(), "built without cgo") {
		t.Error(err)
	}
}
