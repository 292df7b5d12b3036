package persist

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/msalext/msalext/plugins/file"
)

func TestLastWrite(t *testing.T) {
	t.Parallel()
	for kind, open := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			p := open(t)
			if last, err := p.LastWrite(t.Context()); last != (LastWrite{}) || err != nil {
				t.Errorf("at first: %+v, %v", last, err)
			}
			began := time.Now().Add(-2 * time.Second)
			save(t, p, "one")
			last, err := p.LastWrite(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if kind != "database" && (last.By == "" || last.At.Before(began) || last.At.After(time.Now().Add(2*time.Second))) {
				t.Errorf("%+v", last)
			}
			if kind == "database" && last.By != "" { // which has no lock to note it at
				t.Errorf("%+v", last)
			}
		})
	}
}

// A library of another language leaves no note, so the last one is no longer true.
func TestLastWriteByOthers(t *testing.T) {
	t.Parallel()
	path := tempPath(t)
	p := ready(t, "file", file.Backend(), path)
	save(t, p, "one")
	if err := os.WriteFile(path, []byte("two, by another"), 0o600); err != nil {
		t.Fatal(err)
	}
	if last, err := p.LastWrite(t.Context()); last.By != "" || last.At.IsZero() || err != nil {
		t.Errorf("%+v, %v", last, err)
	}
	save(t, p, "three")
	me := fmt.Sprintf("process %d ", os.Getpid())
	if last, err := p.LastWrite(t.Context()); len(last.By) < len(me) || last.By[:len(me)] != me || err != nil {
		t.Errorf("%+v, %v", last, err)
	}
}
