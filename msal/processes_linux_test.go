package msal_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/msalext/msalext/internal/testproc"
	"github.com/msalext/msalext/msal/msaltest"
)

const processes, signIns = 4, 15

// signInMany is one process of TestProcessesLoseNoSignIn.
func signInMany(dir, process string) error {
	ctx := context.Background()
	remote, err := msaltest.ConnectEnv()
	if err != nil {
		return err
	}
	cache, client, err := openAndJoin(ctx, remote, dir, nil)
	if err != nil {
		return err
	}
	for i := range signIns {
		if _, err := byPassword(ctx, client, fmt.Sprintf("p%s-%d@contoso.example", process, i)); err != nil {
			return err
		}
	}
	return cache.Close(ctx)
}

func TestProcessesLoseNoSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	var wg sync.WaitGroup
	for i := range processes {
		wg.Go(func() {
			cmd := testproc.Command(t, "sign in", filepath.Dir(w.path), strconv.Itoa(i))
			cmd.Env = append(cmd.Env, w.srv.Env()...)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("process %d: %v\n%s", i, err, out)
			}
		})
	}
	wg.Wait()
	if n := len(strings.Fields(w.people())); n != processes*signIns {
		t.Errorf("%d of %d accounts kept", n, processes*signIns)
	}
}
