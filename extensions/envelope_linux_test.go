package extensions_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/backendtest"
	"github.com/msalext/msalext/extensions/envelope"
	"github.com/msalext/msalext/extensions/pluginhost"
	"github.com/msalext/msalext/internal/testproc"
	"github.com/msalext/msalext/plugins/file"
)

func init() {
	children["envelope work"] = func(args []string) error { return envelopeWork(args[0], args[1], args[2]) }
	children["envelope start"] = func(args []string) error { return envelopeStart(args[0], args[1]) }
}

// binaryInEnvelope is the plugin "file" in a process of its own, enveloped.
type binaryInEnvelope struct {
	host *pluginhost.Host
	keys envelope.Keys
}

func (binaryInEnvelope) Describe() backend.Description { return backend.Description{Name: "file"} }

func (b binaryInEnvelope) Open(ctx context.Context, c backend.Config) (backend.Store, error) {
	inner, err := b.host.Backend(ctx, "file")
	if err != nil {
		return nil, err
	}
	s, err := inner.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return envelope.Wrap(s, b.keys, nil), nil
}

// workKeys are the same in each process.
func workKeys() envelope.Keys {
	return envelope.Fixed(envelope.Key{ID: "work", Secret: [32]byte{1}})
}

func envelopeWork(plugin, path, job string) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	host := hostWith(plugin)
	defer func() { err = errors.Join(err, host.Close()) }()
	s, err := binaryInEnvelope{host, workKeys()}.Open(ctx, backend.Config{Location: path, Path: path})
	if err != nil {
		return err
	}
	return errors.Join(backendtest.Work(ctx, s, job), s.Close())
}

// envelopeStart is a program's first start, whose key is in a key store's item.
func envelopeStart(where, keysAt string) error {
	ctx := context.Background()
	keys, err := extensions.Open(ctx, "sealed", keysAt, &extensions.Options{InProcess: []backend.Backend{sealed{}}})
	if err != nil {
		return err
	}
	p, err := extensions.BuildPersistence(ctx, where, &extensions.Options{
		InProcess: []backend.Backend{file.Backend()}, Candidates: []string{"file"}, Envelope: envelope.FromItem(keys),
	})
	if err != nil {
		return err
	}
	return errors.Join(p.Key(fmt.Sprint(os.Getpid())).Save(ctx, []byte("data")), p.Close(), keys.Close())
}

// Programs that start at once make one key together, also where they share the
// cache.
func TestProcessesThatMakeTheKeyItemAtOnce(t *testing.T) {
	t.Parallel()
	where, keysAt := location(t), location(t)
	const n = 8
	done := make(chan error, n)
	pids := make([]int, n)
	for i := range n {
		cmd := testproc.Command(t, "envelope start", where, keysAt)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		pids[i] = cmd.Process.Pid
		go func() {
			err := cmd.Wait()
			if err != nil {
				err = fmt.Errorf("%w: %s", err, &out)
			}
			done <- err
		}()
	}
	for range n {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	keys := envelope.FromItem(open(t, sealed{}, keysAt))
	if _, others, err := keys.Keys(t.Context()); err != nil || len(others) > 0 {
		t.Errorf("%d keys too many, %v", len(others), err)
	}
	p := openWith(t, "file", where, &extensions.Options{InProcess: []backend.Backend{file.Backend()}, Envelope: keys})
	for _, pid := range pids {
		if data, err := p.Key(fmt.Sprint(pid)).Load(t.Context()); err != nil || string(data) != "data" {
			t.Errorf("%q, %v", data, err)
		}
	}
}

type envelopeHarness struct {
	*backendtest.Opener
	t *testing.T
}

func (h envelopeHarness) Work(_ context.Context, job string) error {
	if out, err := testproc.Command(h.t, "envelope work", filePlugin(h.t), h.Config().Path, job).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func TestConformanceOfABinaryInAnEnvelope(t *testing.T) {
	t.Parallel()
	host := hostWith(filePlugin(t))
	defer closeHost(t, host)
	backendtest.Run(t, envelopeHarness{&backendtest.Opener{Backend: binaryInEnvelope{host, workKeys()}, NewConfig: func(t backendtest.T) backend.Config {
		path := t.TempDir() + "/data/cache"
		return backend.Config{Location: path, Path: path}
	}}, t})
}
