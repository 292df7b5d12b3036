package msal

import (
	"runtime"
	"testing"
	"time"
)

// fakeManager stands for MSAL's cache in memory.
type fakeManager struct{ _ *fakeManager }

func (m *fakeManager) Unmarshal([]byte) error { return nil }

func (cs *clients) len() int {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return len(cs.byID)
}

func TestStateLivesAsLongAsItsClient(t *testing.T) {
	t.Parallel()
	var cs clients
	kept := &fakeManager{}
	state := cs.of(kept)
	for range 1000 {
		m := &fakeManager{}
		if c := cs.of(m); c == state || c != cs.of(m) {
			t.Fatal("two clients were taken for one, or one for two")
		}
	}
	for deadline := time.Now().Add(20 * time.Second); cs.len() > 1; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d states are kept of one client", cs.len())
		}
		runtime.GC()
	}
	if cs.of(kept) != state {
		t.Error("a client in use lost its state")
	}
}

func TestClientThatIsNoPointer(t *testing.T) {
	t.Parallel()
	var cs clients
	if cs.of([]byte("neither comparable nor MSAL's")) == nil || cs.of(nil) == nil || cs.len() > 0 {
		t.Error("a client without identity was remembered")
	}
}
