package pluginhost

import (
	"path/filepath"
	"testing"
)

// BenchmarkColdOpen is what a program waits for its first store.
func BenchmarkColdOpen(b *testing.B) {
	for b.Loop() {
		h := New(nil)
		s, err := openStore(h, "store", filepath.Join(b.TempDir(), "data"))
		if err != nil {
			b.Fatal(err)
		}
		_ = s.Close()
		if err := h.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLoad is a call of a running plugin.
func BenchmarkLoad(b *testing.B) {
	h := New(nil)
	defer h.Close()
	s, err := openStore(h, "store", filepath.Join(b.TempDir(), "data"))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Load(b.Context(), "pid", ""); err != nil {
			b.Fatal(err)
		}
	}
}
