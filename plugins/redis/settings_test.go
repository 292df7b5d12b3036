package redis

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

func readPlace(settings backend.Settings, secrets map[string]backend.Secret) (place, error) {
	return usual.read(backend.Config{Location: "~/cache", Settings: settings, Secrets: secrets})
}

func TestSettings(t *testing.T) {
	t.Parallel()
	at, err := readPlace(nil, nil)
	if err != nil || !slices.Equal(at.addresses, []string{"127.0.0.1:6379"}) || at.cluster || at.tls != nil || at.ttl != 0 ||
		len(at.names) != len("msalext:")+32 || at.names != prefix(backend.Config{Location: "~/cache", Path: "/home/x/cache"}) || at.names == prefix(backend.Config{Location: "~/other"}) {
		t.Errorf("by default: %+v, %v", at, err)
	}
	at, err = readPlace(backend.Settings{
		"address": "redis-0:7000, redis-1 ,[::1]", "username": "u", "prefix": "app", "ttl": "720h", "wait-replicas": "2", "tls": "true", "tls-server-name": "redis.example",
	}, map[string]backend.Secret{"password": backend.Secret("p")})
	want := []string{"redis-0:7000", "redis-1:6379", "[::1]:6379"}
	if err != nil || !slices.Equal(at.addresses, want) || !at.cluster || at.user != (login{"u", "p"}) || at.names != "app" ||
		at.ttl != 720*time.Hour || at.replicas != 2 || at.tls == nil || at.tls.ServerName != "redis.example" || at.tls.InsecureSkipVerify {
		t.Errorf("got %+v, %v", at, err)
	}
	at, err = readPlace(backend.Settings{"address": "localhost,127.0.0.2:1", "master-name": "m"}, map[string]backend.Secret{"sentinel-password": backend.Secret("s")})
	if err != nil || at.master != "m" || at.cluster || at.sentinel.password != "s" || at.addresses[0] != "localhost:26379" {
		t.Errorf("with Sentinel: %+v, %v", at, err)
	}
	if at, err = readPlace(backend.Settings{"username": "u", "password": "p"}, nil); err != nil || at.user != (login{"u", "p"}) {
		t.Errorf("a password among the other settings: %v", err)
	}
	if at, err = readPlace(backend.Settings{"address": "unix:/run/redis.sock"}, nil); err != nil || at.addresses[0] != "/run/redis.sock" {
		t.Errorf("a socket: %+v, %v", at, err)
	}
	if at, err = readPlace(backend.Settings{"address": "10.0.0.1", "insecure": "true"}, nil); err != nil || !at.insecure {
		t.Errorf("insecure: %+v, %v", at, err)
	}
}

func TestWrongSettings(t *testing.T) {
	t.Parallel()
	const pass = "hunter2-and-more"
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		says     string
		settings backend.Settings
		secrets  map[string]backend.Secret
	}{
		{`"colour"`, backend.Settings{"colour": "red"}, nil},
		{`"pin"`, nil, map[string]backend.Secret{"pin": backend.Secret(pass)}},
		{"address", backend.Settings{"address": "redis://user:" + pass + "@host:1"}, nil},
		{"address", backend.Settings{"address": "host:0"}, nil},
		{"address", backend.Settings{"address": "host:99999"}, nil},
		{"address", backend.Settings{"address": "host,"}, nil},
		{"address", backend.Settings{"address": "a:b:c"}, nil},
		{"db", backend.Settings{"db": "-1"}, nil},
		{"db", backend.Settings{"db": "one"}, nil},
		{"db", backend.Settings{"db": "1", "cluster": "true"}, nil},
		{"cluster", backend.Settings{"cluster": "yes"}, nil},
		{"cluster", backend.Settings{"cluster": "true", "master-name": "m"}, nil},
		{"master-name", nil, map[string]backend.Secret{"sentinel-password": backend.Secret(pass)}},
		{"ttl", backend.Settings{"ttl": "30"}, nil},
		{"ttl", backend.Settings{"ttl": "1ms"}, nil},
		{"wait-replicas", backend.Settings{"wait-replicas": "-1"}, nil},
		{"tls", backend.Settings{"tls": "false", "tls-server-name": "x"}, nil},
		{"tls-ca-file", backend.Settings{"tls-ca-file": filepath.Join(t.TempDir(), "none")}, nil},
		{"tls-ca-file", backend.Settings{"tls-ca-file": empty}, nil},
		{"tls-cert-file", backend.Settings{"tls-cert-file": empty}, nil},
		{"tls-cert-file", nil, map[string]backend.Secret{"tls-key": backend.Secret(pass)}},
		{"tls-cert-file", backend.Settings{"tls-cert-file": empty}, map[string]backend.Secret{"tls-key": backend.Secret(pass)}},
		{"without TLS", backend.Settings{"address": "10.0.0.1:6379"}, nil},
		{"without TLS", backend.Settings{"address": "127.0.0.1,[2001:db8::1]:6379"}, nil},
	}
	for _, tt := range tests {
		_, err := usual.Open(t.Context(), backend.Config{Location: "l", Settings: tt.settings, Secrets: tt.secrets})
		e, ok := errors.AsType[*backend.Error](err)
		if !errors.Is(err, backend.ErrInvalid) || !ok || e.Hint == "" || e.Backend != name || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%v: got %v, want ErrInvalid with %q", tt.settings, err, tt.says)
		}
		if err != nil && strings.Contains(err.Error(), pass) {
			t.Errorf("%v: the error shows a secret: %v", tt.settings, err)
		}
	}
}

// A name can stand for any machine, and Sentinel and Cluster name nodes: so it
// is the address that is dialled which counts.
func TestOtherMachinesNeedTLS(t *testing.T) {
	t.Parallel()
	for address, near := range map[string]bool{
		"127.0.0.1:1": true, "127.8.9.1:1": true, "[::1]:1": true, "[::ffff:127.0.0.1]:1": true, ":1": true,
		"10.0.0.1:1": false, "192.168.1.1:1": false, "[fe80::1%eth0]:1": false, "[2001:db8::1]:1": false, "0.0.0.0:1": false,
	} {
		if err := onlyNear("tcp", address); (err == nil) != near || err != nil && !errors.Is(err, backend.ErrInvalid) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if err := onlyNear("unix", "/run/redis.sock"); err != nil {
		t.Errorf("a socket: %v", err)
	}
	_, err := dialer{}.dial(t.Context(), "tcp", "192.0.2.1:6379")
	if !errors.Is(err, backend.ErrInvalid) {
		t.Errorf("another machine: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := dialer{}.dial(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	for name, settings := range map[string]backend.Settings{
		"single": {}, "Sentinel": {"master-name": "m"}, "Cluster": {"cluster": "true"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings["address"] = l.Addr().String()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			_, err := Backend().Open(ctx, backend.Config{Location: "l", Settings: settings})
			if e, ok := errors.AsType[*backend.Error](err); !errors.Is(err, backend.ErrUnavailable) || !ok || e.Hint == "" || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
	}
}
