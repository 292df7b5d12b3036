package envelope_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/envelope"
	"github.com/msalext/msalext/internal/testproc"
)

func TestKeyFileOfSomebodyElse(t *testing.T) {
	t.Parallel()
	at, path := location(t), filepath.Join(t.TempDir(), "key")
	keys := &envelope.File{Path: path, Create: true}
	save(t, onFile(t, at, keys), "", "data", backend.None)
	if err := os.Chown(path, testproc.Nobody, testproc.Nobody); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile(path); err != nil { // which root could
		t.Fatal(err)
	}
	s := onFile(t, at, keys)
	_, lerr := s.Load(t.Context(), "", backend.None)
	_, serr := s.Save(t.Context(), "new", []byte("x"), backend.None)
	for _, err := range []error{lerr, serr} {
		fails(t, "somebody else's", err, backend.ErrDenied)
	}
	if err := os.Chown(path, 0, 0); err != nil {
		t.Fatal(err)
	}
	holds(t, onFile(t, at, keys), "", "data")
}

func TestKeyFileBesideTheDataByAnotherName(t *testing.T) {
	t.Parallel()
	at := location(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(filepath.Dir(at), link); err != nil {
		t.Fatal(err)
	}
	_, err := onFile(t, at, &envelope.File{Path: filepath.Join(link, "key"), Create: true}).Save(t.Context(), "", []byte("x"), backend.None)
	fails(t, "through a link", err, backend.ErrInvalid)
	if _, err := os.Lstat(filepath.Join(filepath.Dir(at), "key")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the key was made: %v", err)
	}
}

func TestUnsafeKeyFiles(t *testing.T) {
	t.Parallel()
	at, good := location(t), filepath.Join(t.TempDir(), "key")
	save(t, onFile(t, at, &envelope.File{Path: good, Create: true}), "", "data", backend.None)
	content, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		prepare func(path string) error
		kind    error
	}{
		{"others can read it", func(path string) error { return errors.Join(os.WriteFile(path, content, 0o600), os.Chmod(path, 0o644)) }, backend.ErrDenied},
		{"the group can read it", func(path string) error { return errors.Join(os.WriteFile(path, content, 0o600), os.Chmod(path, 0o640)) }, backend.ErrDenied},
		{"others can write it", func(path string) error { return errors.Join(os.WriteFile(path, content, 0o600), os.Chmod(path, 0o602)) }, backend.ErrDenied},
		{"a symbolic link", func(path string) error { return os.Symlink(good, path) }, backend.ErrDenied},
		{"a second name", func(path string) error {
			return errors.Join(os.WriteFile(path, content, 0o600), os.Link(path, path+".other"))
		}, backend.ErrDenied},
		{"a directory", func(path string) error { return os.Mkdir(path, 0o700) }, backend.ErrInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "key")
			if err := c.prepare(path); err != nil {
				t.Fatal(err)
			}
			for range 2 { // looking at it must not make it pass
				for what, keys := range map[string]*envelope.File{"": {Path: path}, "create": {Path: path, Create: true}} {
					s := onFile(t, at, keys)
					_, err := s.Load(t.Context(), "", backend.None)
					fails(t, what, err, c.kind)
					_, err = s.Save(t.Context(), "new", []byte("x"), backend.None)
					fails(t, what, err, c.kind)
				}
			}
		})
	}
}
