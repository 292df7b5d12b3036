package selfplugin_test

import (
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/internal/selfplugin"
)

type named struct {
	*memory.Backend
	name string
}

func (n named) Describe() backend.Description { return backend.Description{Name: n.name} }

func TestOffered(t *testing.T) {
	run := time.Now().String() // what was offered stays so for the life of the process
	one, two := named{name: "one" + run}, named{name: "two" + run}
	if _, ok := selfplugin.Offered(two.name); ok {
		t.Fatal("found before it was offered")
	}
	selfplugin.Offer(one, nil, two)
	if b, ok := selfplugin.Offered(two.name); !ok || b != backend.Backend(two) {
		t.Errorf("two: %v, %v", b, ok)
	}
	if _, ok := selfplugin.Offered("three"); ok {
		t.Error("found what was never offered")
	}
	for _, cookie := range []string{"msalext.persistence", "other", ""} {
		t.Setenv(selfplugin.CookieKey, cookie)
		if _, ok := selfplugin.Offered(two.name); ok {
			t.Errorf("offered inside of a plugin, cookie %q", cookie)
		}
	}
	if err := os.Unsetenv(selfplugin.CookieKey); err != nil {
		t.Fatal(err)
	}
	if _, ok := selfplugin.Offered(two.name); !ok {
		t.Error("forgotten")
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			name := strconv.Itoa(i)
			selfplugin.Offer(named{name: name})
			if _, ok := selfplugin.Offered(name); !ok {
				t.Errorf("%s is not there", name)
			}
		})
	}
	wg.Wait()
}
