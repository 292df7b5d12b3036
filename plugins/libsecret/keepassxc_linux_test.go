//go:build secretservice

package libsecret

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/backendtest"
)

// Not one case is an exception.
func TestConformanceOnKeePassXC(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	d.keepassxc(t, keepassSettings{})
	backendtest.Run(t, d.harness(t, patient(d.shared), nil))
}

func saves(t *testing.T, s backend.Store, data string, base backend.Version) backend.Version {
	t.Helper()
	v, err := s.Save(t.Context(), "", []byte(data), base)
	if err != nil {
		t.Fatalf("save of %.60q: %v", data, err)
	}
	return v
}

// entry is the only one with these attributes, as another program sees it.
// Attributes that KeePassXC adds are left out.
func (d *desktop) entry(t *testing.T, with map[string]string) (path dbus.ObjectPath, label string, attributes map[string]string) {
	t.Helper()
	conn := d.connect(t)
	defer conn.Close()
	var found, locked []dbus.ObjectPath
	err := conn.Object(busName, servicePath).Call(serviceInterface+"SearchItems", 0, with).Store(&found, &locked)
	if err != nil || len(found) != 1 {
		t.Fatalf("%d entries, %v", len(found), err)
	}
	for name, into := range map[string]any{"Label": &label, "Attributes": &attributes} {
		if err := conn.Object(busName, found[0]).StoreProperty(itemInterface+name, into); err != nil {
			t.Fatal(err)
		}
	}
	for _, own := range added {
		if own != schemaAttribute {
			delete(attributes, own)
		}
	}
	return found[0], label, attributes
}

// By its settings as they come, KeePassXC asks before a program removes an
// entry. So an entry is emptied, nobody is asked, and the next save uses it.
func TestKeePassXCIsNotAskedToDelete(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	d.keepassxc(t, keepassSettings{confirmDelete: true})
	s := d.openPatiently(t, backend.Settings{"schema": "s", "label": "Tokens"})
	of := map[string]string{schemaAttribute: "s"}
	wire := d.listen(t)
	v := saves(t, s, `{"a":1}`, backend.None)
	eventually(t, "the creation's prompt is overheard", func() bool { return wire.count("Prompt") == 1 })
	path, label, attributes := d.entry(t, of)
	if diff := cmp.Diff(of, attributes); label != "Tokens" || diff != "" {
		t.Errorf("label %q, attributes (-want +got):\n%s", label, diff)
	}

	for range 2 {
		if err := s.Delete(t.Context(), "", v); err != nil {
			t.Fatal(err)
		}
		v = backend.None
	}
	wants(t, "load", loadError(s), backend.ErrNotFound)
	for info, err := range s.Keys(t.Context(), "") {
		t.Errorf("listed: %v, %v", info, err)
	}
	if emptied, label, _ := d.entry(t, of); emptied != path || label != deletedLabel {
		t.Errorf("%s has the label %q, before it was %s", emptied, label, path)
	}
	saves(t, s, `{"a":2}`, backend.None)
	loads(t, s, `{"a":2}`)
	if again, label, _ := d.entry(t, of); again != path || label != "Tokens" {
		t.Errorf("%s has the label %q, before it was %s", again, label, path)
	}
	if n := wire.count("Prompt"); n != 1 {
		t.Errorf("%d prompts are run", n)
	}
}

func loadError(s backend.Store) error {
	_, err := s.Load(context.Background(), "", backend.None)
	return err
}

// KeePassXC replaces placeholders in what others write, so that peers get
// something else than they wrote. What we write comes back.
func TestKeePassXCReplacesPlaceholders(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	d.keepassxc(t, keepassSettings{})
	d.run(t, `{"a":{},"name":"{TITLE}"}`, "secret-tool", "store", "--label=Tokens", "of", "a peer")
	if got := d.run(t, "", "secret-tool", "lookup", "of", "a peer"); got != `{"a":{},"name":"Tokens"}` {
		t.Errorf("the test proves nothing: a peer gets %q", got)
	}
	const data = `{"a":{},"name":"{TITLE} {REF:P@T:x} {S:xdg:schema} {t-conv:/x/Base64/}"}`
	for _, encoding := range []string{"raw", "base64"} {
		s := d.openPatiently(t, backend.Settings{"schema": encoding, "encoding": encoding})
		saves(t, s, data, backend.None)
		loads(t, s, data)
		loads(t, d.openPatiently(t, backend.Settings{"schema": encoding}), data)
	}
}

// What a service that keeps text could change.
func TestKeePassXCKeepsText(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	d.keepassxc(t, keepassSettings{})
	s := d.openPatiently(t, nil)
	v := backend.None
	for _, data := range []string{"\ufeff{}", "\ufeff", "\x01\x1f\x7f\u0085\u2028\ufffe\uffff", "\r\n\r", "e\u0301\u00e9\U0001f511", "{}", "{", "}{"} {
		v = saves(t, s, data, v)
		loads(t, s, data)
	}
}

// By its settings as they come, a program gets the entries of another only
// after a person said so: Load doesn't ask, and Unlock does.
func TestKeePassXCAsksBeforeItHandsOut(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	d.keepassxc(t, keepassSettings{confirmAccess: true})
	settings := backend.Settings{"schema": "s"}
	first := d.openPatiently(t, settings)
	v := saves(t, first, "one", backend.None)
	saves(t, first, "two", v)
	loads(t, first, "two")

	other := *d
	other.shared = newShared(func() string { return d.address })
	second := other.openPatiently(t, settings)
	wire := d.listen(t)
	for name, call := range calls {
		if name != "unlock" && name != "create" {
			wants(t, name, call(t.Context(), second), backend.ErrLocked)
		}
	}
	if wire.count("Prompt") > 0 {
		t.Error("a person is asked")
	}
	d.unlockUnanswered(t, second, wire)
	wants(t, "load", loadError(second), backend.ErrLocked)
	loads(t, first, "two")
}

// unlockUnanswered expects that Unlock asks, and nobody answers.
func (d *desktop) unlockUnanswered(t *testing.T, s *store, wire *wire) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.Unlock(ctx) }()
	eventually(t, "a person is asked", func() bool { return wire.count("Prompt") == 1 })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("unlock: %v", err)
	}
	eventually(t, "the prompt is withdrawn", func() bool { return wire.count("Dismiss") == 1 })
}

func TestALockedKeePassXC(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	d.keepassxc(t, keepassSettings{locked: true})
	wire := d.listen(t)
	s := d.openPatiently(t, backend.Settings{"schema": "s"})
	for name, call := range calls {
		if name != "unlock" {
			wants(t, name, call(t.Context(), s), backend.ErrLocked)
		}
	}
	if wire.count("Prompt") > 0 || wire.count("Unlock") > 0 {
		t.Error("a person is asked")
	}
	d.unlockUnanswered(t, s, wire)
	wants(t, "load", loadError(s), backend.ErrLocked)
}

// By its settings as they come, KeePassXC asks for the password by itself when
// anybody looks for an entry, and doesn't answer until then. The error says so.
func TestALockedKeePassXCThatAsksByItself(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	d.keepassxc(t, keepassSettings{locked: true, asksToSearch: true})
	s := d.open(t, nil)
	err := inTime(t, func() error { return loadError(s) })
	wants(t, "load", err, backend.ErrTimeout)
	if err == nil || !strings.Contains(err.Error(), "a prompt may be waiting for the keyring's password") {
		t.Errorf("%v doesn't say what waits", err)
	}
}

func TestKeePassXCKeyrings(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	d.keepassxc(t, keepassSettings{})
	saves(t, d.openPatiently(t, backend.Settings{"schema": "s", "collection": "tests"}), "by the database's name", backend.None)
	loads(t, d.openPatiently(t, backend.Settings{"schema": "s"}), "by the database's name")
	// It keeps nothing that ends with the session.
	wants(t, "load", loadError(d.openPatiently(t, backend.Settings{"collection": "session"})), backend.ErrUnavailable)
}

func TestKeePassXCEndsAndComesBack(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	first := d.keepassxc(t, keepassSettings{saves: true})
	s := d.openPatiently(t, backend.Settings{"schema": "s", "attribute.a": "1", "label": "Tokens"})
	v := saves(t, s, `{"a":"\u00fc"}`, backend.None)
	v = saves(t, s, `{"a":"ü"}`, v)
	d.written(t)
	first.end()
	wants(t, "load", loadError(s), backend.ErrUnavailable)
	d.keepassxc(t, keepassSettings{saves: true})
	if b := loads(t, s, `{"a":"ü"}`); b.Version != v {
		t.Error("it has another version")
	}
	saves(t, s, `{"a":2}`, v)
}
