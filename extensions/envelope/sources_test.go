package envelope_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/envelope"
	"github.com/msalext/msalext/internal/testproc"
	"github.com/msalext/msalext/plugins/file"
)

// onFile opens the backend file in an envelope.
func onFile(t testing.TB, path string, keys envelope.Keys) *envelope.Store {
	t.Helper()
	s, err := file.Backend().Open(t.Context(), backend.Config{Location: path, Path: path})
	if err != nil {
		t.Fatal(err)
	}
	e := envelope.Wrap(s, keys, nil)
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func TestKeyFile(t *testing.T) {
	t.Parallel()
	at, where := location(t), location(t)+".key"
	s := onFile(t, at, &envelope.File{Path: where, Create: true})
	save(t, s, "", "data", backend.None)
	fi, err := os.Lstat(where)
	if err != nil || !fi.Mode().IsRegular() || fi.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("%v, %v", fi.Mode(), err)
	}
	holds(t, onFile(t, at, &envelope.File{Path: where}), "", "data")

	keys := &envelope.File{Path: where}
	if err := keys.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	both := onFile(t, at, keys)
	if _, _, err := both.Rewrap(t.Context(), "", nil); err != nil {
		t.Fatal(err)
	}
	if err := keys.Retire(t.Context()); err != nil {
		t.Fatal(err)
	}
	holds(t, onFile(t, at, keys), "", "data")

	if err := os.Rename(where, where+".gone"); err != nil {
		t.Fatal(err)
	}
	_, err = onFile(t, at, &envelope.File{Path: where, Create: true}).Load(t.Context(), "", backend.None)
	fails(t, "lost", err, backend.ErrDecrypt)
	_, err = onFile(t, at, &envelope.File{Path: where, Create: true}).Save(t.Context(), "new", []byte("x"), backend.None)
	fails(t, "save without the key", err, backend.ErrDecrypt)
}

func TestKeyFileThatIsMissing(t *testing.T) {
	t.Parallel()
	s := onFile(t, location(t), &envelope.File{Path: location(t) + ".key"})
	if err := s.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	_, err := s.Save(t.Context(), "", []byte("x"), backend.None)
	fails(t, "no key to write with", err, backend.ErrEncrypt)
}

func TestKeyFileBesideTheData(t *testing.T) {
	t.Parallel()
	at := location(t)
	dir := filepath.Dir(at)
	for name, path := range map[string]string{"beside it": filepath.Join(dir, "key"), "relative": "key"} {
		s := onFile(t, at, &envelope.File{Path: path, Create: true})
		_, err := s.Save(t.Context(), "", []byte("x"), backend.None)
		for _, err := range []error{err, s.Ready(t.Context())} {
			fails(t, name, err, backend.ErrInvalid)
		}
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: the key was made: %v", name, err)
		}
	}
	nested := &envelope.File{Path: filepath.Join(dir, "keys", "key"), Create: true}
	save(t, onFile(t, at, envelope.Several(nested)), "", "x", backend.None)
	_, err := onFile(t, at, envelope.Several(nested, &envelope.File{Path: filepath.Join(dir, "key")})).Load(t.Context(), "", backend.None)
	fails(t, "among several", err, backend.ErrInvalid)
}

func TestMovedHome(t *testing.T) {
	t.Parallel()
	home, keys := t.TempDir(), &envelope.File{Path: location(t) + ".key", Create: true}
	at := filepath.Join(home, "old", "app", "cache")
	s := onFile(t, at, keys)
	for _, key := range []string{"", "user"} {
		save(t, s, key, "data of "+key, backend.None)
	}
	if err := os.Rename(filepath.Join(home, "old"), filepath.Join(home, "new")); err != nil {
		t.Fatal(err)
	}
	moved := onFile(t, filepath.Join(home, "new", "app", "cache"), keys)
	for _, key := range []string{"", "user"} {
		holds(t, moved, key, "data of "+key)
	}
}

// firstStart does what a program does at its first start.
func firstStart(path, keyPath string) error {
	c := backend.Config{Location: path, Path: path}
	return workFirst(c, &envelope.File{Path: keyPath, Create: true})
}

func TestProcessesThatMakeTheKeyFileAtOnce(t *testing.T) {
	t.Parallel()
	dir, keyPath := t.TempDir(), location(t)+".key"
	const n = 6
	done := make(chan error, n)
	for i := range n {
		cmd := testproc.Command(t, "first start", filepath.Join(dir, fmt.Sprint(i), "cache"), keyPath)
		go func() {
			out, err := cmd.CombinedOutput()
			if err != nil {
				err = fmt.Errorf("%w: %s", err, out)
			}
			done <- err
		}()
	}
	for range n {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	for i := range n {
		holds(t, onFile(t, filepath.Join(dir, fmt.Sprint(i), "cache"), &envelope.File{Path: keyPath}), "", "data")
	}
}

func TestEnvironment(t *testing.T) {
	const name = "MSALEXT_TEST_KEY"
	random := func() []byte {
		b := make([]byte, 32)
		_, _ = rand.Read(b)
		return b
	}
	one, two := random(), random()
	copy(one, marker)
	one[31], two[0] = 0xfb, 0xff // + and - in base64
	std, url := base64.StdEncoding, base64.URLEncoding
	p := &place{}
	t.Setenv(name, std.EncodeToString(one))
	save(t, p.wrap(t, envelope.FromEnv(name), nil), "", "data", backend.None)
	for form, value := range map[string]string{
		"base64": std.EncodeToString(one), "unpadded": std.WithPadding(base64.NoPadding).EncodeToString(one), "base64url": url.EncodeToString(one),
		"hex": hex.EncodeToString(one), "HEX": strings.ToUpper(hex.EncodeToString(one)), "spaces": " " + std.EncodeToString(one) + "\n",
		"second": std.EncodeToString(two) + "," + std.EncodeToString(one), "first": std.EncodeToString(one) + ", " + hex.EncodeToString(two),
	} {
		t.Setenv(name, value)
		if v := load(t, p.wrap(t, envelope.FromEnv(name), nil), ""); string(v.Data) != "data" {
			t.Errorf("%s: %q", form, v.Data)
		}
	}
	for form, value := range map[string]string{
		"short": std.EncodeToString(one[:31]), "long": std.EncodeToString(append([]byte{1}, one...)), "text": marker, "zero": std.EncodeToString(make([]byte, 32)),
		"comma": std.EncodeToString(one) + ",", "hex of 31": hex.EncodeToString(one[:31]),
	} {
		t.Setenv(name, value)
		_, err := p.wrap(t, envelope.FromEnv(name), nil).Load(t.Context(), "", backend.None)
		fails(t, form, err, backend.ErrInvalid)
		if strings.Contains(err.Error(), marker) || strings.Contains(err.Error(), value) {
			t.Errorf("%s: the value shows in %v", form, err)
		}
	}
	t.Setenv(name, std.EncodeToString(two))
	_, err := p.wrap(t, envelope.FromEnv(name), nil).Load(t.Context(), "", backend.None)
	fails(t, "another key", err, backend.ErrDecrypt)
	if err := os.Unsetenv(name); err != nil {
		t.Fatal(err)
	}
	_, err = p.wrap(t, envelope.FromEnv(name), nil).Load(t.Context(), "", backend.None)
	fails(t, "not set", err, backend.ErrUnavailable)
}
