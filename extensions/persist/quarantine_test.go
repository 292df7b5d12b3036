package persist

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/tokencache"
)

const rubbish = `{"Account":{"a":`

// damagedFile is a cache on disk that was used, and then damaged by a peer.
func damagedFile(t *testing.T, opts *CacheOptions) (c *PersistedTokenCache, p *Persistence, s *spy, path string) {
	t.Helper()
	path = tempPath(t)
	p, s = onDisk(t, path)
	save(t, p, string(cacheOf("ann")))
	c = NewPersistedTokenCache(p, opts)
	view(t, c)
	if err := os.WriteFile(path, []byte(rubbish), 0o644); err != nil {
		t.Fatal(err)
	}
	return c, p, s, path
}

func wantFile(t *testing.T, path, content string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != content {
		t.Errorf("%s has %q, %v", path, got, err)
	}
	if fi, err := os.Stat(path); runtime.GOOS != "windows" && (err != nil || fi.Mode().Perm() != 0o600) {
		t.Errorf("%v, %v", fi.Mode(), err)
	}
}

func TestQuarantineMovesADamagedCacheAside(t *testing.T) {
	t.Parallel()
	c, _, _, path := damagedFile(t, nil)
	if _, err := c.View(t.Context()); !errors.Is(err, backend.ErrCorrupt) || !strings.Contains(err.Error(), "Quarantine") {
		t.Errorf("View gave %v", err)
	}
	movedTo, err := c.Quarantine(t.Context())
	if err != nil || !regexp.MustCompile(`^`+regexp.QuoteMeta(path)+`\.corrupt-\d{8}T\d{6}Z$`).MatchString(movedTo) {
		t.Fatalf("moved to %q, %v", movedTo, err)
	}
	wantFile(t, movedTo, rubbish)
	if got := signedIn(t, c); got != "" {
		t.Errorf("then: %q", got)
	}
	merge(t, c, view(t, c), cacheOf("bob"))
	if got := signedIn(t, c); got != "bob" {
		t.Errorf("after the sign-in: %q", got)
	}
	if movedTo, err := c.Quarantine(t.Context()); movedTo != "" || err != nil {
		t.Errorf("a cache that can be read: %q, %v", movedTo, err)
	}
	if moved, err := filepath.Glob(path + ".corrupt-*"); err != nil || len(moved) != 1 {
		t.Errorf("there are %v, %v", moved, err)
	}
	if _, err := os.Stat(path + ".msalext"); err != nil {
		t.Errorf("the record is gone: %v", err)
	}
}

// Of a whole cache with bytes behind it only the bytes are in the way.
func TestQuarantineKeepsAWholeCache(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(path string) (*Persistence, *spy){
		"file":      func(path string) (*Persistence, *spy) { return onDisk(t, path) },
		"key store": func(path string) (*Persistence, *spy) { return onKeyStore(t, path) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, s := open(tempPath(t))
			content := string(cacheOf("ann")) + "}}"
			save(t, p, content)
			s.onSave = func(ctx context.Context, save func() (backend.Version, error)) (backend.Version, error) {
				if _, err := s.Store.Load(ctx, "", backend.None); err != nil { // a reader takes no lock
					t.Errorf("meanwhile: %v", err)
				}
				return save()
			}
			ch := changes(t, p)
			c := NewPersistedTokenCache(p, &CacheOptions{Quarantine: true, OnError: func(error) {}})
			merge(t, c, view(t, c), cacheOf("ann", "bob"))
			if got := signedIn(t, c); got != "ann bob" {
				t.Errorf("then: %q", got)
			}
			none(t, ch)
			if name == "file" {
				files, err := filepath.Glob(p.Location() + ".corrupt-*")
				if err != nil || len(files) != 1 {
					t.Fatalf("moved to %v, %v", files, err)
				}
				wantFile(t, files[0], content)
				return
			}
			if got := load(t, p.Key(movedKey(t, p))); got != content {
				t.Errorf("moved: %q", got)
			}
		})
	}
}

// movedKey finds the key of what was moved aside.
func movedKey(t *testing.T, p *Persistence) string {
	t.Helper()
	l := p.opening.store.store.(*spy).Store.(backend.Lister)
	for k, err := range l.Keys(t.Context(), ".corrupt-") {
		if err != nil {
			t.Fatal(err)
		}
		return k.Key
	}
	t.Fatal("nothing was moved")
	return ""
}

func TestQuarantineReplacesNothing(t *testing.T) {
	t.Parallel()
	c, _, _, path := damagedFile(t, nil)
	taken := map[string]bool{}
	for i := range 10 { // the second in which it is moved isn't known before
		name := path + ".corrupt-" + time.Now().Add(time.Duration(i)*time.Second).UTC().Format("20060102T150405Z")
		taken[name] = true
		if err := os.WriteFile(name, []byte("older"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	movedTo, err := c.Quarantine(t.Context())
	if err != nil || taken[movedTo] || !strings.HasSuffix(movedTo, "Z-1") {
		t.Errorf("moved to %q, %v", movedTo, err)
	}
	wantFile(t, movedTo, rubbish)
	for name := range taken {
		wantFile(t, name, "older")
	}
}

func TestQuarantineLeavesAloneWhatIsNotDamaged(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p, s := onDisk(t, path)
	c := NewPersistedTokenCache(p, nil)
	want := func(name string, kind error) {
		t.Helper()
		if movedTo, err := c.Quarantine(t.Context()); movedTo != "" || !errors.Is(err, kind) {
			t.Errorf("%s: moved to %q, %v", name, movedTo, err)
		}
	}
	want("nothing stored", nil)
	save(t, p, string(cacheOf("ann")))
	want("a cache", nil)
	for _, kind := range []error{backend.ErrDecrypt, backend.ErrLocked, backend.ErrDenied, backend.ErrUnavailable} {
		s.onLoad = func(context.Context) error { return &backend.Error{Kind: kind} }
		want(kind.Error(), kind)
	}
	s.onLoad = nil
	if err := os.WriteFile(path+".msalext", []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	want("a damaged record", backend.ErrCorrupt)
	wantFile(t, path, string(cacheOf("ann")))
}

// A peer that writes in place without a lock has half of it there now.
func TestQuarantineWaitsForSlowWriters(t *testing.T) {
	t.Parallel()
	for name, rest := range map[string]string{"done": "}}", "not done": "{"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _, s, path := damagedFile(t, nil)
			loads := 0
			s.onLoad = func(context.Context) error {
				if loads++; loads == 2 {
					return os.WriteFile(path, []byte(`{"Account":{`+rest), 0o600)
				}
				return nil
			}
			movedTo, err := c.Quarantine(t.Context())
			if movedTo != "" || (err != nil) != (name == "not done") || err != nil && !errors.Is(err, backend.ErrCorrupt) {
				t.Errorf("moved to %q, %v", movedTo, err)
			}
			wantFile(t, path, `{"Account":{`+rest)
		})
	}
}

func TestQuarantineOfWhatTheStoreCantRead(t *testing.T) {
	t.Parallel()
	for _, kind := range []error{backend.ErrCorrupt, backend.ErrDecrypt} {
		t.Run(kind.Error(), func(t *testing.T) {
			t.Parallel()
			_, p, s, path := damagedFile(t, nil)
			s.onLoad = func(context.Context) error {
				if _, err := os.Stat(path); err == nil {
					return &backend.Error{Kind: kind}
				}
				return nil
			}
			movedTo, err := p.Quarantine(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			wantFile(t, movedTo, rubbish)
			s.onLoad = nil
			save(t, p, "anew")
			if movedTo, err := p.Quarantine(t.Context()); movedTo != "" || err != nil { // no cache, but it can be read
				t.Errorf("moved to %q, %v", movedTo, err)
			}
		})
	}
}

func TestQuarantineInAStoreWithoutFiles(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func() (*Persistence, *spy){
		"memory":    func() (*Persistence, *spy) { return inMemory(t) },
		"key store": func() (*Persistence, *spy) { return onKeyStore(t, tempPath(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, s := open()
			p = p.Key("a user")
			save(t, p, rubbish)
			c := NewPersistedTokenCache(p, nil)
			movedTo, err := c.Quarantine(t.Context())
			if err != nil || !strings.HasPrefix(movedTo, "a user.corrupt-") {
				t.Fatalf("moved to %q, %v", movedTo, err)
			}
			if got := load(t, p.Key(movedTo)); got != rubbish {
				t.Errorf("there is %q", got)
			}
			merge(t, c, view(t, c), cacheOf("ann"))
			if got := signedIn(t, c); got != "ann" {
				t.Errorf("after the sign-in: %q", got)
			}
			s.onLoad = func(context.Context) error { return &backend.Error{Kind: backend.ErrCorrupt} }
			e := (*backend.Error)(nil)
			if movedTo, err := c.Quarantine(t.Context()); movedTo != "" || !errors.Is(err, backend.ErrCorrupt) || !errors.As(err, &e) || e.Hint == "" {
				t.Errorf("moved to %q, %v", movedTo, err)
			}
		})
	}
}

// A copy that can't be made keeps the original where it is.
func TestQuarantineThatFailsKeepsEverything(t *testing.T) {
	t.Parallel()
	p, s := onKeyStore(t, tempPath(t))
	save(t, p, rubbish)
	mend := failing(s)
	c := NewPersistedTokenCache(p, nil)
	if movedTo, err := c.Quarantine(t.Context()); movedTo != "" || !errors.Is(err, backend.ErrUnavailable) {
		t.Errorf("moved to %q, %v", movedTo, err)
	}
	mend()
	if got := load(t, p); got != rubbish {
		t.Errorf("stored: %q", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Quarantine(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestCacheThatMendsItself(t *testing.T) {
	t.Parallel()
	for name, use := range map[string]func(c *PersistedTokenCache) error{
		"View": func(c *PersistedTokenCache) error { _, err := c.View(t.Context()); return err },
		"Merge": func(c *PersistedTokenCache) error {
			_, err := c.Merge(t.Context(), View{}, cacheOf("bob"), tokencache.OpAcquire)
			return err
		},
		"Modify": func(c *PersistedTokenCache) error {
			return c.Modify(t.Context(), func(*tokencache.TokenCache) error { return nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, p, _, path := damagedFile(t, &CacheOptions{Quarantine: true, OnError: func(error) {}})
			var logged bytes.Buffer
			p.opening.store.log = slog.New(slog.NewTextHandler(&logged, nil))
			if err := use(c); err != nil {
				t.Errorf("got %v", err)
			}
			moved, err := filepath.Glob(path + ".corrupt-*")
			if err != nil || len(moved) != 1 {
				t.Fatalf("moved to %v, %v", moved, err)
			}
			wantFile(t, moved[0], rubbish)
			if text := logged.String(); strings.Count(text, "level=WARN") != 1 || !strings.Contains(text, "corrupt-") {
				t.Errorf("logged %q", text)
			}
			if got := signedIn(t, c); got != "" && got != "bob" {
				t.Errorf("then: %q", got)
			}
		})
	}
}

// What can't be decrypted may be read again tomorrow.
func TestCacheDoesntMendWhatItCantDecrypt(t *testing.T) {
	t.Parallel()
	c, _, s, path := damagedFile(t, &CacheOptions{Quarantine: true})
	s.onLoad = func(context.Context) error { return &backend.Error{Kind: backend.ErrDecrypt} }
	if _, err := c.View(t.Context()); !errors.Is(err, backend.ErrDecrypt) {
		t.Errorf("got %v", err)
	}
	wantFileAsItWas(t, path)
}

func wantFileAsItWas(t *testing.T, path string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != rubbish {
		t.Errorf("the file has %q, %v", got, err)
	}
}

func TestWatchTellsNothingOfOurQuarantine(t *testing.T) {
	t.Parallel()
	c, p, _, _ := damagedFile(t, nil)
	ch := changes(t, p)
	if _, err := c.Quarantine(t.Context()); err != nil {
		t.Fatal(err)
	}
	none(t, ch)
}
