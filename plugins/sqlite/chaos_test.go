//go:build !windows || windows_sqlite

package sqlite

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/testproc"
)

func init() {
	children["hammer"] = func(args []string) error { return hammerChild(args[0]) }
}

// numbered is content that tells its number, so that a part of it shows.
func numbered(n int) []byte {
	line := fmt.Appendf(nil, "%08d\n", n)
	return bytes.Repeat(line, 500+n*7919%20000)
}

func numberOf(data []byte) (int, error) {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	n, err := strconv.Atoi(string(line))
	if err != nil || !bytes.Equal(data, numbered(n)) {
		return 0, fmt.Errorf("%d bytes that nobody saved: %.20q", len(data), data)
	}
	return n, nil
}

// hammerChild counts an item up, and creates and deletes another, until it is
// killed. It prints each number once the store has it.
func hammerChild(text string) error {
	ctx := context.Background()
	j, err := parseJob(text)
	if err != nil {
		return err
	}
	s, err := j.open(ctx)
	if err != nil {
		return err
	}
	n, base, err := counted(ctx, s)
	for err == nil {
		n++
		if base, err = s.Save(ctx, "k", numbered(n), base); err == nil {
			_, err = fmt.Println(n)
		}
		if err == nil && n%5 == 0 {
			err = flicker(ctx, s)
		}
	}
	return err
}

func counted(ctx context.Context, s backend.Store) (int, backend.Version, error) {
	blob, err := s.Load(ctx, "k", backend.None)
	if errors.Is(err, backend.ErrNotFound) {
		return 0, backend.None, nil
	} else if err != nil {
		return 0, backend.None, err
	}
	n, err := numberOf(blob.Data)
	return n, blob.Version, err
}

func flicker(ctx context.Context, s backend.Store) error {
	blob, err := s.Load(ctx, "other", backend.None)
	if errors.Is(err, backend.ErrNotFound) {
		_, err = s.Save(ctx, "other", numbered(1), backend.None)
		return err
	} else if err != nil {
		return err
	}
	return s.Delete(ctx, "other", blob.Version)
}

// A process that is killed leaves what it said is stored, or what it was just
// storing, whoever opens the database next.
func TestKilledWriters(t *testing.T) {
	t.Parallel()
	const kills = 20 // for each mode
	for name, m := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := cachePath(t)
			least := 0
			for i := range kills {
				if i%3 == 2 { // somebody who stays sees the death too
					s := m.store(t, path)
					least = killed(t, job{m, path}, least)
					least = survived(t, s, least)
				} else {
					least = killed(t, job{m, path}, least)
				}
				s := m.store(t, path)
				least = survived(t, s, least)
				if err := s.Check(t.Context()); err != nil {
					t.Fatalf("after kill %d: %v", i+1, err)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// killed lets a process count for a while, kills it and returns the last number
// that it said is stored.
func killed(t *testing.T, j job, least int) int {
	t.Helper()
	cmd := testproc.Command(t, "hammer", j.String())
	stderr := new(strings.Builder)
	cmd.Stderr = stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for range 1 + rand.N(30) {
		if !lines.Scan() {
			break
		}
		least, err = strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // what it said before it died counts
		if n, err := strconv.Atoi(lines.Text()); err == nil {
			least = max(least, n)
		}
	}
	_ = cmd.Wait()
	if stderr.Len() > 0 {
		t.Fatalf("it failed before it was killed: %s", stderr)
	}
	return least
}

// survived returns the number that is stored; least was acknowledged.
func survived(t *testing.T, s *store, least int) int {
	t.Helper()
	n, _, err := counted(t.Context(), s)
	if err != nil || n < least || n > least+1 {
		t.Fatalf("%d is stored and %d was acknowledged: %v", n, least, err)
	}
	if err := flicker(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return n
}

// Processes that begin together create one database, also where one is killed
// while it does. Whoever comes later finds it whole or not there.
func TestKilledCreators(t *testing.T) {
	t.Parallel()
	for name, m := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 10 {
				path := cachePath(t)
				hammer := testproc.Command(t, "hammer", job{m, path}.String())
				if err := hammer.Start(); err != nil {
					t.Fatal(err)
				}
				for deadline := time.Now().Add(time.Minute); ; { // most are killed while they create
					if _, err := os.Lstat(path); err == nil {
						break
					}
					if time.Now().After(deadline) {
						t.Fatal("nothing is created")
					}
					time.Sleep(50 * time.Microsecond)
				}
				others := make(chan error, 2)
				for i := range cap(others) {
					go func() {
						s, err := job{m, path}.open(t.Context())
						if err == nil {
							_, err = s.Save(t.Context(), fmt.Sprint("mine ", i), []byte("x"), backend.None)
							err = errors.Join(err, s.Close())
						}
						others <- err
					}()
				}
				if err := hammer.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				_ = hammer.Wait()
				for range cap(others) {
					if err := <-others; err != nil {
						t.Error(err)
					}
				}
				s := m.store(t, path)
				if _, _, err := counted(t.Context(), s); err != nil {
					t.Error(err)
				}
				holds(t, s, "mine 0", "x")
				holds(t, s, "mine 1", "x")
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
