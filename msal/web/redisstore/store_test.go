//go:build redis

package redisstore

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/google/go-cmp/cmp"
	goredis "github.com/redis/go-redis/v9"

	"github.com/msalext/msalext/internal/testproc"
)

func TestOnesTakeTheOthersPlace(t *testing.T) {
	t.Parallel()
	_, client := startServer(t)
	ours, theirs := New(client, nil), goredisstore.New(client)
	data := []byte{0, 1, 0xff, '\r', '\n', 0}
	expiry := time.Now().Add(time.Hour)
	if err := errors.Join(ours.CommitCtx(t.Context(), "ours", data, expiry), theirs.CommitCtx(t.Context(), "theirs", data, expiry)); err != nil {
		t.Fatal(err)
	}
	for token, find := range map[string]func(context.Context, string) ([]byte, bool, error){"ours": theirs.FindCtx, "theirs": ours.FindCtx} {
		t.Run("W18 "+token, func(t *testing.T) {
			if got, found, err := find(t.Context(), token); err != nil || !found || !cmp.Equal(got, data) {
				t.Errorf("%q, %t, %v", got, found, err)
			}
		})
	}
	a, err1 := ours.AllCtx(t.Context())
	b, err2 := theirs.AllCtx(t.Context())
	if diff := cmp.Diff(b, a); diff != "" || errors.Join(err1, err2) != nil {
		t.Errorf("%v, %v\n%s", err1, err2, diff)
	}
	if left := client.PTTL(t.Context(), Prefix+"ours").Val(); left > time.Hour || left < 59*time.Minute {
		t.Errorf("ours lives for %s", left)
	}
}

func TestWhatIsGone(t *testing.T) {
	t.Parallel()
	_, client := startServer(t)
	s := New(client, nil)
	if err := s.Commit("here", []byte("x"), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	// Sessions that are over are stored by nobody, and must not live for ever.
	for _, expiry := range []time.Time{time.Now(), time.Now().Add(-time.Hour), {}} {
		if err := s.Commit("over", []byte("x"), expiry); err != nil {
			t.Error(err)
		}
		if _, found, err := s.Find("over"); found || err != nil {
			t.Errorf("expiry %s: found %t, %v", expiry, found, err)
		}
	}
	if err := errors.Join(s.Delete("here"), s.Delete("here"), s.Delete("never")); err != nil {
		t.Error(err)
	}
	if _, found, err := s.Find("here"); found || err != nil {
		t.Errorf("found %t, %v", found, err)
	}
}

func TestManyUnderOddPrefixes(t *testing.T) {
	t.Parallel()
	_, client := startServer(t)
	const many = 2500
	pipe := client.Pipeline()
	for i := range many {
		pipe.Set(t.Context(), fmt.Sprint("a*[b]?:", i), "x", 0)
		pipe.Set(t.Context(), fmt.Sprint("azzb?:", i), "x", 0)
	}
	pipe.HSet(t.Context(), "a*[b]?:hash", "f", "v") // nobody's session
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	all, err := New(client, &Options{Prefix: "a*[b]?:"}).AllCtx(t.Context())
	if err != nil || len(all) != many {
		t.Errorf("%d sessions, %v", len(all), err)
	}
	if _, here := all["0"]; !here {
		t.Error("the names aren't those without the prefix")
	}
	n := 0
	for one, err := range New(client, &Options{Prefix: "a*[b]?:"}).Rows(t.Context()) {
		if err != nil || all[one.ID] == nil || string(one.Data) != "x" {
			t.Fatalf("%q: %q, %v", one.ID, one.Data, err)
		}
		n++
	}
	if n != many {
		t.Errorf("%d come one by one", n)
	}
	for range New(client, nil).Rows(t.Context()) {
		t.Error("another prefix has some")
	}
}

func TestReplicasHaveWhatCounts(t *testing.T) {
	t.Parallel()
	port, client := startServer(t)
	s := New(client, &Options{Replicas: 1, Wait: 100 * time.Millisecond})
	expiry := time.Now().Add(time.Hour)
	if err := s.Commit("a", []byte("x"), expiry); !errors.Is(err, ErrReplicas) {
		t.Errorf("without a replica: %v", err)
	}
	replica := startReplica(t, port, client)
	s.opts.Wait = patience
	for i := range 50 {
		token := fmt.Sprint(i)
		if err := s.Commit(token, []byte("x"), expiry); err != nil {
			t.Fatal(err)
		}
		if got, err := replica.Get(t.Context(), Prefix+token).Result(); got != "x" || err != nil {
			t.Fatalf("session %d isn't on the replica: %v", i, err)
		}
		if err := s.Delete(token); err != nil {
			t.Fatal(err)
		}
		if err := replica.Get(t.Context(), Prefix+token).Err(); !errors.Is(err, goredis.Nil) {
			t.Fatalf("session %d is on the replica still: %v", i, err)
		}
	}
}

func TestServerAway(t *testing.T) {
	t.Parallel()
	client := goredis.NewClient(&goredis.Options{Addr: address(testproc.FreePort(t)), MaxRetries: -1, DialerRetries: 1})
	defer client.Close()
	s := New(client, nil)
	_, found, err1 := s.Find("token-that-nobody-sees")
	_, err2 := s.AllCtx(t.Context())
	rows := 0
	for _, err := range s.Rows(t.Context()) {
		if rows++; err == nil || rows > 1 {
			t.Errorf("row %d: %v", rows, err)
		}
	}
	if rows != 1 {
		t.Error("no error comes")
	}
	for _, err := range []error{err1, err2, s.Commit("token-that-nobody-sees", nil, time.Now().Add(time.Hour)), s.Delete("token-that-nobody-sees")} {
		if err == nil || found {
			t.Errorf("found %t, %v", found, err)
		}
	}
}
