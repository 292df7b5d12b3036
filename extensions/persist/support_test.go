package persist

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/plugins/file"
)

// spy is a store that a test looks at, or lets misbehave.
type spy struct {
	backend.Store
	info   func(backend.Info) backend.Info
	onLoad func(context.Context) error
	onSave func(ctx context.Context, save func() (backend.Version, error)) (backend.Version, error)

	mu    sync.Mutex
	loads int
	saves int
}

func (s *spy) Info() backend.Info {
	if s.info != nil {
		return s.info(s.Store.Info())
	}
	return s.Store.Info()
}

func (s *spy) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	s.count(&s.loads)
	if s.onLoad != nil {
		if err := s.onLoad(ctx); err != nil {
			return backend.Blob{}, err
		}
	}
	return s.Store.Load(ctx, key, have)
}

func (s *spy) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	s.count(&s.saves)
	save := func() (backend.Version, error) { return s.Store.Save(ctx, key, data, base) }
	if s.onSave != nil {
		return s.onSave(ctx, save)
	}
	return save()
}

func (s *spy) count(n *int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*n++
}

func (s *spy) counts() (loads, saves int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.loads, s.saves
}

// inMemory is a persistence over a fresh reference store, which compares and
// swaps and so takes no file lock.
func inMemory(t *testing.T) (*Persistence, *spy) {
	t.Helper()
	return over(t, "memory", &memory.Backend{}, tempPath(t))
}

// onDisk is a persistence over the file backend at a path.
func onDisk(t *testing.T, path string) (*Persistence, *spy) {
	t.Helper()
	return over(t, "file", file.Backend(), path)
}

func over(t *testing.T, name string, b backend.Backend, path string) (*Persistence, *spy) {
	t.Helper()
	c := backend.Config{Location: path, Path: path}
	store, err := b.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	s := &spy{Store: store}
	p := New(name, s, c, nil)
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p, s
}

func tempPath(t *testing.T) string { return filepath.Join(t.TempDir(), "app", "cache") }

func load(t *testing.T, p *Persistence) string {
	t.Helper()
	data, err := p.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func save(t *testing.T, p *Persistence, data string) {
	t.Helper()
	if err := p.Save(t.Context(), []byte(data)); err != nil {
		t.Fatal(err)
	}
}

// cacheOf is a token cache, as MSAL writes it, with these people signed in.
func cacheOf(people ...string) []byte {
	var accounts, tokens []string
	for _, who := range people {
		accounts = append(accounts, fmt.Sprintf(`"%[1]s.t-env-t":{"home_account_id":"%[1]s.t","environment":"env","realm":"t","username":"%[1]s"}`, who))
		tokens = append(tokens, fmt.Sprintf(`"%[1]s.t-env-refreshtoken-c":{"home_account_id":"%[1]s.t","environment":"env","client_id":"c","credential_type":"RefreshToken","secret":"rt-%[1]s"}`, who))
	}
	return []byte(`{"Account":{` + strings.Join(accounts, ",") + `},"RefreshToken":{` + strings.Join(tokens, ",") + `}}`)
}

// signedIn lists the user names in a cache.
func signedIn(t *testing.T, c *PersistedTokenCache) string {
	t.Helper()
	accounts, err := c.Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range accounts {
		names = append(names, a.Username)
	}
	return strings.Join(names, " ")
}
