package plugintest

import (
	"path/filepath"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/pluginhost"
)

// A session is a host with the plugin running.
type session struct {
	*trial
	options Options
	host    *pluginhost.Host
	backend backend.Backend
	logs    *transcript
}

// start starts the plugin through a host of its own, which is closed after the
// case.
func (x *examination) start() *session {
	logs := &transcript{}
	s := &session{trial: x.trial, options: x.options, host: x.options.host(logs), logs: logs}
	x.atEnd(func() {
		_ = s.host.Close()
		_, _ = x.logs.Write(logs.bytes())
	})
	b, err := s.host.Backend(x.ctx, x.options.Name)
	if err != nil {
		x.Fatalf("%v", err)
	}
	s.backend = b
	return s
}

// open opens a store, which is closed after the case.
func (s *session) open(path string) backend.Store {
	c, err := s.options.config(s.backend, path)
	if err != nil {
		s.Fatalf("%v", err)
	}
	store, err := s.backend.Open(s.ctx, c)
	if err != nil {
		s.Fatalf("open: %v", err)
	}
	s.atEnd(func() { _ = store.Close() })
	return store
}

func (s *session) save(store backend.Store, key, data string, base backend.Version) backend.Version {
	v, err := store.Save(s.ctx, key, []byte(data), base)
	if err != nil {
		s.Fatalf("save: %v", err)
	}
	return v
}

// close ends the host, and with it the plugin.
func (s *session) close(store backend.Store) {
	if err := store.Close(); err != nil {
		s.Errorf("close the store: %v", err)
	}
	if err := s.host.Close(); err != nil {
		s.Errorf("end the plugin: %v", err)
	}
}

// place is a location that nobody used before.
func (t *trial) place() string { return filepath.Join(t.TempDir(), "cache") }
