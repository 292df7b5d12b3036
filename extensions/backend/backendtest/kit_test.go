package backendtest

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/plugins/file"
)

func unbent(s sound, _ *sync.Map) backend.Store { return s }

func TestMemory(t *testing.T) {
	t.Parallel()
	Run(t, bentBy(unbent))
}

func TestMemoryWithLimit(t *testing.T) {
	t.Parallel()
	h := bentBy(unbent)
	h.memory.MaxBytes = 4000
	Run(t, h)
}

func TestCasesAreNamed(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range Cases() {
		if c.Name == "" || strings.Contains(c.Name, "/") || seen[c.Name] { // go test splits at "/"
			t.Errorf("the name %q", c.Name)
		}
		if seen[c.Name] = true; c.Run == nil || !strings.HasSuffix(c.Doc, ".") {
			t.Errorf("%q has no Run or no sentence: %q", c.Name, c.Doc)
		}
	}
}

// crowded has what it calls processes, which are goroutines.
type crowded struct {
	*Opener
	work func(ctx context.Context, s backend.Store, job string) error
}

func (h crowded) Work(ctx context.Context, job string) error {
	s, err := h.Backend.Open(ctx, h.Config())
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	return h.work(ctx, s, job)
}

func TestProcesses(t *testing.T) {
	t.Parallel()
	const name = "loses what other processes write"
	idle := func(context.Context, backend.Store, string) error { return nil }
	failing := func(ctx context.Context, s backend.Store, _ string) error { return Work(ctx, s, "no job") }
	elsewhere := func(ctx context.Context, _ backend.Store, job string) error {
		s, err := new(memory.Backend).Open(ctx, backend.Config{})
		if err != nil {
			return err
		}
		return Work(ctx, s, job)
	}
	for _, tt := range []struct {
		name  string
		b     backend.Backend
		work  func(context.Context, backend.Store, string) error
		found bool
	}{
		{"compare and swap", &memory.Backend{}, Work, false},
		{"in turn", file.Backend(), Work, false},
		{"nothing is done", &memory.Backend{}, idle, true},
		{"an error", &memory.Backend{}, failing, true},
		{"other items", &memory.Backend{}, elsewhere, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range Cases() {
				if c.Name != name {
					continue
				}
				if faults := record(t, c, crowded{&Opener{Backend: tt.b}, tt.work}); len(faults) > 0 != tt.found {
					t.Errorf("found %q", faults)
				}
			}
		})
	}
}

func TestNamesOfPowers(t *testing.T) {
	t.Parallel()
	var names []string
	for _, p := range powers {
		names = append(names, p.cap.String())
	}
	if diff := cmp.Diff([]string{"watch", "unlock", "list", "expire", "check"}, names); diff != "" {
		t.Error(diff)
	}
}
