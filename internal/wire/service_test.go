package wire

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	pb "github.com/msalext/msalext/internal/wire/persistencepb"
	"google.golang.org/grpc"
)

func mustEnv(t *testing.T, name string) string {
	t.Helper()
	value, ok := os.LookupEnv(name)
	if !ok {
		t.Fatalf("%s isn't set", name)
	}
	return value
}

func TestEnvironmentThatTheBackendDoesNotWant(t *testing.T) {
	t.Parallel()
	l := serveOn(t, func(s *grpc.Server) { Register(s, &memory.Backend{}) })
	_, err := pb.NewPersistenceClient(l.conn).Open(t.Context(), &pb.OpenRequest{Environment: map[string]string{"MSALEXT_EVIL": "1"}})
	if err = (origin{op: "open"}).decode(t.Context(), err); !errors.Is(err, backend.ErrInvalid) {
		t.Errorf("opened: %v", err)
	}
	if _, ok := os.LookupEnv("MSALEXT_EVIL"); ok {
		t.Error("it was set")
	}
}

func TestPanicBecomesError(t *testing.T) {
	t.Parallel()
	f := &fake{
		description: backend.Description{Name: "f"},
		load:        func(context.Context, string, backend.Version) (backend.Blob, error) { panic("token-xyz") },
		remove:      func(context.Context) error { return nil },
		info:        backend.Info{Caps: backend.CanWatch},
	}
	c, _, _ := remote(t, f)
	s := openStore(t, c, backend.Config{})
	_, err := s.Load(t.Context(), "", "")
	if !errors.Is(err, backend.ErrUnavailable) || errors.Is(err, ErrLost) || strings.Contains(err.Error(), "xyz") {
		t.Errorf("a panic is %v", err)
	}
	if log := logged.String(); !strings.Contains(log, "panicked") || !strings.Contains(log, "service_test.go") || strings.Contains(log, "xyz") {
		t.Errorf("logged: %s", log)
	}
	if err := s.Delete(t.Context(), "", ""); err != nil {
		t.Errorf("after a panic: %v", err)
	}
}

func TestNoStore(t *testing.T) {
	t.Parallel()
	f := &fake{open: func(context.Context, backend.Config) (backend.Store, error) { return nil, nil }}
	c, _, _ := remote(t, f)
	if _, err := c.Open(t.Context(), backend.Config{}); !errors.Is(err, backend.ErrUnavailable) {
		t.Errorf("%v", err)
	}
}

func TestSecretsDoNotTravelBack(t *testing.T) {
	t.Parallel()
	const dsn = `redis://user:p%22ss%20w%40rd@host/`
	secrets := map[string]backend.Secret{"dsn": backend.Secret(dsn), "pin": backend.Secret("123"), "token": backend.Secret("hunter2hunter2")}
	leak := &backend.Error{
		Op: "open hunter2hunter2", Kind: backend.ErrDenied, Hint: `use p"ss w@rd 123`,
		Err: errors.New("bad " + dsn + strings.Repeat("x", MaxText-20) + "hunter2hunter2"),
	}
	f := &fake{info: backend.Info{Location: dsn}, load: func(context.Context, string, backend.Version) (backend.Blob, error) {
		return backend.Blob{}, leak
	}}
	c, service, _ := remote(t, f)
	s := openStore(t, c, backend.Config{Secrets: secrets})
	_, err := s.Load(t.Context(), "", "")
	for _, text := range []string{err.Error(), s.Info().Location, service.Scrub(dsn)} {
		if strings.Contains(text, "hunter") || strings.Contains(text, "ss w") || !strings.Contains(text, redacted) {
			t.Errorf("a secret shows: %s", text)
		}
	}
	if !strings.Contains(err.Error(), "123") {
		t.Errorf("a short one was taken for a secret: %v", err)
	}
}

func TestCloseOfStores(t *testing.T) {
	t.Parallel()
	closes := 0
	f := &fake{close: func() error { closes++; return nil }, remove: func(context.Context) error { return nil }}
	c, _, l := remote(t, f)
	s := openStore(t, c, backend.Config{})
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if closes != 1 {
		t.Errorf("closed %d times", closes)
	}
	if err := s.Delete(t.Context(), "", ""); !errors.Is(err, backend.ErrClosed) {
		t.Errorf("delete: %v", err)
	}
	rpc := pb.NewPersistenceClient(l.conn)
	if _, err := rpc.Close(t.Context(), &pb.CloseRequest{Store: 1 << 40}); err != nil {
		t.Errorf("close of an unknown store: %v", err)
	}
	_, err := rpc.Delete(t.Context(), &pb.DeleteRequest{Store: 1})
	if err = (origin{}).decode(t.Context(), err); !errors.Is(err, backend.ErrClosed) {
		t.Errorf("delete in a closed store: %v", err)
	}
}

func TestServiceClose(t *testing.T) {
	t.Parallel()
	begun, finish, closed := make(chan struct{}), make(chan struct{}), make(chan struct{})
	f := &fake{
		close:  func() error { close(closed); return nil },
		remove: func(context.Context) error { close(begun); <-finish; return nil },
	}
	c, service, _ := remote(t, f)
	s := openStore(t, c, backend.Config{})
	deleted := make(chan error, 1)
	go func() { deleted <- s.Delete(t.Context(), "", "") }()
	<-begun
	short, cancel := context.WithCancel(t.Context())
	cancel()
	if err := service.Close(short); !errors.Is(err, context.Canceled) {
		t.Errorf("close while a call runs: %v", err)
	}
	for _, err := range []error{s.Delete(t.Context(), "", ""), reopen(t, c)} {
		if !errors.Is(err, ErrLost) || !errors.Is(err, backend.ErrUnavailable) {
			t.Errorf("a call in the shutdown: %v", err)
		}
	}
	close(finish)
	if err := <-deleted; err != nil {
		t.Errorf("the running call: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := service.Close(ctx); err != nil {
		t.Error(err)
	}
	<-closed
}

func reopen(t *testing.T, c *Client) error {
	t.Helper()
	_, err := c.Open(t.Context(), backend.Config{})
	return err
}
