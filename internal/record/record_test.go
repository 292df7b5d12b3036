package record_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/record"
)

var (
	file  = record.Record{Backend: "file"}
	vault = record.Record{Backend: "vault", Encrypted: true}
)

func location(t *testing.T) string { return filepath.Join(t.TempDir(), "cache") }

func plant(t *testing.T, location, content string) {
	t.Helper()
	if err := os.WriteFile(record.Path(location), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// fields are what the record file says.
func fields(t *testing.T, location string) map[string]any {
	t.Helper()
	data, err := os.ReadFile(record.Path(location))
	var all map[string]any
	if err == nil {
		err = json.Unmarshal(data, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestFirstClaimCounts(t *testing.T) {
	t.Parallel()
	at := location(t)
	if r, err := record.Read(at); err != nil || r != (record.Record{}) {
		t.Errorf("before: %+v, %v", r, err)
	}
	for range 2 {
		if err := record.Claim(t.Context(), at, vault); err != nil {
			t.Fatal(err)
		}
	}
	if r, err := record.Read(at); err != nil || r != vault {
		t.Errorf("recorded: %+v, %v", r, err)
	}
	want := map[string]any{"format": 1.0, "backend": "vault", "encrypted": true}
	if d := cmp.Diff(want, fields(t, at)); d != "" {
		t.Error(d)
	}
	fi, err := os.Stat(record.Path(at))
	if err != nil || fi.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" { // which has access lists instead
		t.Errorf("%v, %v", fi.Mode(), err)
	}
}

func TestClaimAgainstWhatIsRecorded(t *testing.T) {
	t.Parallel()
	encrypting := record.Record{Backend: "file", Encrypted: true}
	for _, c := range []struct {
		name, was string
		claim     record.Record
		err       error
		now       record.Record // as recorded afterwards, where it can be read
	}{
		{"same", `{"format":1,"backend":"file"}`, file, nil, file},
		{"same, encrypted", `{"format":1,"backend":"vault","encrypted":true}`, vault, nil, vault},
		{"another backend", `{"format":1,"backend":"file"}`, vault, backend.ErrBackendChanged, file},
		{"plaintext after encryption", `{"format":1,"backend":"file","encrypted":true}`, file, backend.ErrBackendChanged, encrypting},
		{"encryption after plaintext", `{"format":1,"backend":"file","encrypted":false}`, encrypting, nil, encrypting},
		{"empty, as a crash of others leaves it", "", file, nil, file},
		{"newer", `{"format":2,"backend":"file"}`, file, backend.ErrCorrupt, file},
		{"no format", `{"backend":"file"}`, file, backend.ErrCorrupt, file},
		{"no backend", `{"format":1}`, file, backend.ErrCorrupt, file},
		{"half", `{"format":1,"back`, file, backend.ErrCorrupt, file},
		{"more", `{"format":1,"backend":"file"}{}`, file, backend.ErrCorrupt, file},
		{"no object", `null`, file, backend.ErrCorrupt, file},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			at := location(t)
			plant(t, at, c.was)
			err := record.Claim(t.Context(), at, c.claim)
			if e := (*backend.Error)(nil); !errors.Is(err, c.err) || err != nil && (!errors.As(err, &e) || e.Hint == "") {
				t.Errorf("got %v, want %v with a hint", err, c.err)
			}
			r, rerr := record.Read(at)
			switch {
			case errors.Is(c.err, backend.ErrCorrupt):
				data, _ := os.ReadFile(record.Path(at))
				if !errors.Is(rerr, backend.ErrCorrupt) || string(data) != c.was {
					t.Errorf("Read gave %+v, %v, and the file has %q", r, rerr, data)
				}
			case rerr != nil || r != c.now:
				t.Errorf("recorded: %+v, %v", r, rerr)
			}
		})
	}
}

// Once a location was encrypted it doesn't go back, whatever it was before.
func TestEncryptionIsRemembered(t *testing.T) {
	t.Parallel()
	at := location(t)
	plant(t, at, `{"format":1,"backend":"file","encrypted":false,"since":{"day":"2030-01-01"},"huge":12345678901234567890}`)
	if err := record.Claim(t.Context(), at, record.Record{Backend: "file", Encrypted: true}); err != nil {
		t.Fatal(err)
	}
	if err := record.Claim(t.Context(), at, file); !errors.Is(err, backend.ErrBackendChanged) {
		t.Errorf("plaintext afterwards: %v", err)
	}
	data, err := os.ReadFile(record.Path(at))
	if err != nil || !strings.Contains(string(data), `"since":{"day":"2030-01-01"}`) || !strings.Contains(string(data), `"huge":12345678901234567890`) {
		t.Errorf("what a newer version added is gone: %s, %v", data, err)
	}
}

func TestRivalsForOneLocation(t *testing.T) {
	t.Parallel()
	at := location(t)
	var mu sync.Mutex
	won := map[string]int{}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			r := []record.Record{file, vault}[i%2]
			switch err := record.Claim(t.Context(), at, r); {
			case err == nil:
				mu.Lock()
				defer mu.Unlock()
				won[r.Backend]++
			case !errors.Is(err, backend.ErrBackendChanged):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	r, err := record.Read(at)
	if err != nil || len(won) != 1 || won[r.Backend] != 10 {
		t.Errorf("recorded %+v, %v; claims that succeeded: %v", r, err, won)
	}
}

func TestClaimThatCantBeWritten(t *testing.T) {
	t.Parallel()
	at := location(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := record.Claim(ctx, at, file); !errors.Is(err, context.Canceled) {
		t.Errorf("ended ctx: %v", err)
	}
	if err := record.Claim(t.Context(), filepath.Join(at, "no", "directory"), file); !errors.Is(err, backend.ErrUnavailable) {
		t.Errorf("no directory: %v", err)
	}
	if err := os.Mkdir(record.Path(at), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := record.Claim(t.Context(), at, file); !errors.Is(err, backend.ErrInvalid) {
		t.Errorf("a directory in its place: %v", err)
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, was string
		err       error
		now       record.Record
	}{
		{"what was", `{"format":1,"backend":"vault","encrypted":true,"since":1}`, nil, file},
		{"nothing", "", nil, file},
		{"done before", `{"format":1,"backend":"file"}`, nil, file},
		{"a third", `{"format":1,"backend":"other"}`, backend.ErrBackendChanged, record.Record{Backend: "other"}},
		{"newer", `{"format":2,"backend":"vault"}`, backend.ErrCorrupt, record.Record{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			at := location(t)
			plant(t, at, c.was)
			if err := record.Replace(t.Context(), at, vault, file); !errors.Is(err, c.err) {
				t.Errorf("got %v", err)
			}
			if now, _ := record.Read(at); now != c.now {
				t.Errorf("recorded: %+v", now)
			}
			if strings.Contains(c.was, "since") && fields(t, at)["since"] != 1.0 {
				t.Error("what a newer version added is gone")
			}
		})
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	at := location(t)
	if err := record.Remove(t.Context(), at, vault); err != nil {
		t.Errorf("nothing there: %v", err)
	}
	if err := record.Claim(t.Context(), at, vault); err != nil {
		t.Fatal(err)
	}
	if err := record.Remove(t.Context(), at, file); err != nil {
		t.Error(err)
	}
	if now, err := record.Read(at); err != nil || now != vault {
		t.Errorf("another's was removed: %+v, %v", now, err)
	}
	if err := record.Remove(t.Context(), at, vault); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(record.Path(at)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

func TestRoom(t *testing.T) {
	t.Parallel()
	at := filepath.Join(location(t), "new", "cache")
	if err := record.Room(at); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(at, nil, 0o600); err != nil {
		t.Error(err)
	}
	if err := record.Room(filepath.Join(at, "cache")); !errors.Is(err, backend.ErrInvalid) {
		t.Errorf("below a file: %v", err)
	}
}
