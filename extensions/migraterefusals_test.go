package extensions_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/plugins/file"
)

func TestMigrateRefuses(t *testing.T) {
	t.Parallel()
	type stores struct{ from, to *extensions.Persistence }
	for _, c := range []struct {
		name  string
		open  func(t *testing.T, at string) stores
		kind  error
		says  string
		items map[string]string // what the source holds
	}{
		{"no target", func(t *testing.T, at string) stores { return stores{open(t, file.Backend(), at), nil} }, backend.ErrInvalid, "missing", nil},
		{"itself", func(t *testing.T, at string) stores { p := open(t, sealed{}, at); return stores{p, p} }, backend.ErrInvalid, "same", threeItems},
		{"itself, opened twice", func(t *testing.T, at string) stores { return stores{open(t, sealed{}, at), open(t, sealed{}, at)} }, backend.ErrInvalid, "same", threeItems},
		{"itself by another path", func(t *testing.T, at string) stores {
			link := filepath.Join(t.TempDir(), "link")
			if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o700), os.Symlink(filepath.Dir(at), link)); err != nil {
				t.Fatal(err)
			}
			return stores{open(t, file.Backend(), at), open(t, file.Backend(), filepath.Join(link, filepath.Base(at)))}
		}, backend.ErrInvalid, "same", threeItems},
		{"itself under another label", func(t *testing.T, at string) stores {
			o := &extensions.Options{InProcess: []backend.Backend{sealed{}}, Settings: map[string]backend.Settings{"sealed": {"label": "x"}}}
			p, err := extensions.Open(t.Context(), "sealed", at, o)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { closed(t, p) })
			return stores{open(t, sealed{}, at), p}
		}, backend.ErrInvalid, "two names", threeItems},
		{"in place", func(t *testing.T, at string) stores {
			return stores{open(t, file.Backend(), at), open(t, disguised{}, at)}
		}, backend.ErrInvalid, "same file", threeItems},
		{"to plaintext", func(t *testing.T, at string) stores {
			return stores{open(t, sealed{}, at), open(t, file.Backend(), location(t))}
		}, backend.ErrDenied, "AllowPlaintext", threeItems},
		{"from plaintext to plaintext", func(t *testing.T, at string) stores {
			return stores{open(t, file.Backend(), at), open(t, file.Backend(), location(t))}
		}, backend.ErrDenied, "AllowPlaintext", threeItems},
		{"of nothing", func(t *testing.T, at string) stores {
			return stores{open(t, file.Backend(), at), open(t, sealed{}, location(t))}
		}, backend.ErrNotFound, "nothing", nil},
		{"too large an item", func(t *testing.T, at string) stores {
			return stores{open(t, file.Backend(), at), open(t, sealed{max: 30}, location(t))}
		}, backend.ErrTooLarge, "30", threeItems},
		{"one item of a location that moves", func(t *testing.T, at string) stores {
			return stores{open(t, file.Backend(), at).Key("alice"), open(t, sealed{}, at).Key("alice")}
		}, backend.ErrInvalid, "alone", threeItems},
		{"a key that shows no more in its file's name", func(t *testing.T, at string) stores {
			p := open(t, disguised{}, at)
			fill(t, p, map[string]string{strings.Repeat("@", 60): "x"})
			return stores{p, open(t, sealed{}, at)}
		}, backend.ErrUnsupported, "Keys", threeItems},
		{"a location of a third backend", func(t *testing.T, at string) stores {
			other := location(t)
			fill(t, open(t, file.Backend(), other), threeItems)
			return stores{open(t, file.Backend(), at), open(t, sealed{}, other)}
		}, backend.ErrBackendChanged, "file", threeItems},
	} {
		for _, dry := range []bool{true, false} {
			if dry && c.name == "itself under another label" {
				continue // shows by writing alone
			}
			t.Run(fmt.Sprintf("%s/dry %v", c.name, dry), func(t *testing.T) {
				t.Parallel()
				at := location(t)
				s := c.open(t, at)
				if c.items != nil {
					fill(t, s.from.Key(""), c.items)
				}
				before := tree(t, filepath.Dir(at))
				err := extensions.Migrate(t.Context(), s.from, s.to, &extensions.MigrateOptions{AllowPlaintext: c.kind != backend.ErrDenied, DryRun: dry, DeleteSource: true})
				if e := (*backend.Error)(nil); !errors.Is(err, c.kind) || !strings.Contains(fmt.Sprint(err), c.says) || !errors.As(err, &e) || e.Hint == "" {
					t.Errorf("got %v", err)
				}
				if d := cmp.Diff(before, tree(t, filepath.Dir(at))); d != "" {
					t.Error("something was written:", d)
				}
			})
		}
	}
}

// disguised keeps items in the file at the location, as "file" does, in a form
// of its own, and can't list them.
type disguised struct{}

func (disguised) Describe() backend.Description { return backend.Description{Name: "disguised"} }

func (disguised) Open(ctx context.Context, c backend.Config) (backend.Store, error) {
	s, err := file.Backend().Open(ctx, c)
	return struct{ backend.Store }{s}, err
}

func TestMigrateUnreadableSource(t *testing.T) {
	t.Parallel()
	for _, kind := range []error{backend.ErrDecrypt, backend.ErrCorrupt, backend.ErrLocked, backend.ErrTimeout} {
		t.Run(kind.Error(), func(t *testing.T) {
			t.Parallel()
			there := location(t)
			from, to := open(t, &vault{load: kind, info: backend.Info{Encrypted: true}}, location(t)), open(t, sealed{}, there)
			if err := extensions.Migrate(t.Context(), from, to, &extensions.MigrateOptions{AllowPlaintext: true, DeleteSource: true}); !errors.Is(err, kind) {
				t.Errorf("got %v", err)
			}
			if got := tree(t, filepath.Dir(there)); len(got) > 0 {
				t.Errorf("written: %v", got)
			}
		})
	}
}

func TestMigrateWithinAnUpdateIsRefused(t *testing.T) {
	t.Parallel()
	from, to := open(t, file.Backend(), location(t)), open(t, sealed{}, location(t))
	fill(t, from, threeItems)
	err := from.Update(t.Context(), func([]byte) ([]byte, error) { return nil, extensions.Migrate(t.Context(), from, to, nil) })
	if !errors.Is(err, backend.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}
