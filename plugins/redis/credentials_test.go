//go:build redis

package redis

import (
	"strconv"
	"strings"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/testproc"
)

func TestCredentials(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	server := startSecure(t, a)
	settings, secrets := secureSettings(t, server, a)
	without := func(names ...string) backend.Settings {
		all := backend.Settings{}
		for name, value := range settings {
			if !strings.Contains(strings.Join(names, " "), name) {
				all[name] = value
			}
		}
		return all
	}
	other := newAuthority(t)
	tests := []struct {
		name     string
		settings backend.Settings
		secrets  map[string]backend.Secret
		kind     error
		says     string
	}{
		{"no password", settings, map[string]backend.Secret{"tls-key": secrets["tls-key"]}, backend.ErrDenied, "wants a password"},
		{"wrong password", settings, map[string]backend.Secret{"tls-key": secrets["tls-key"], "password": backend.Secret(adminSecret)}, backend.ErrDenied, "no such user"},
		{"wrong user", merged(settings, "username", "nobody"), secrets, backend.ErrDenied, "no such user"},
		{"unknown certificate", merged(settings, "tls-ca-file", other.file("ca.crt")), secrets, backend.ErrDenied, "isn't trusted"},
		{"another's certificate", merged(settings, "tls-server-name", "other.example"), secrets, backend.ErrDenied, "isn't trusted"},
		{"no client certificate", without("tls-cert-file"), map[string]backend.Secret{"password": secrets["password"]}, backend.ErrDenied, "certificate"},
		{"no TLS", without("tls-cert-file tls-ca-file"), map[string]backend.Secret{"password": secrets["password"]}, backend.ErrUnavailable, "no connection"},
		{"a key of no right to", merged(settings, "prefix", "others"), secrets, backend.ErrDenied, "ACL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := Backend().Open(soon(t), unused(t.TempDir(), tt.settings, tt.secrets))
			if err == nil {
				defer s.Close()
				err = trySave(soon(t), s)
			}
			says(t, "it", err, tt.kind, tt.says)
		})
	}
	t.Run("no TLS there", func(t *testing.T) {
		t.Parallel()
		_, err := Backend().Open(t.Context(), unused(t.TempDir(), backend.Settings{"address": startServer(t).address(), "tls": "true"}, nil))
		says(t, "open", err, backend.ErrTimeout, "TLS handshake")
	})
}

func merged(settings backend.Settings, name, value string) backend.Settings {
	all := backend.Settings{name: value}
	for n, v := range settings {
		if n != name {
			all[n] = v
		}
	}
	return all
}

// A Cluster that names its nodes by the addresses of other machines gets nothing
// without TLS.
func TestNoOtherMachineWithoutTLS(t *testing.T) {
	t.Parallel()
	server := startServer(t, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(testproc.FreePort(t)), "--cluster-announce-ip", "192.0.2.1")
	server.do(t, "cluster", "addslotsrange", 0, 16383)
	_, err := Backend().Open(t.Context(), unused(t.TempDir(), backend.Settings{"address": server.address(), "cluster": "true"}, nil))
	says(t, "open", err, backend.ErrInvalid, "without TLS")
}
