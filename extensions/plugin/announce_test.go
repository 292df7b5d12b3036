package plugin

import (
	"bytes"
	"encoding/pem"
	"errors"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/msalext/msalext/internal/wire"
)

// brokenPipe is a host that is gone.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

// hostCert is what a host sends that wants TLS.
func hostCert(t *testing.T) string {
	t.Helper()
	cert, err := wire.SelfSigned()
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}))
}

func TestListenPort(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	port := strconv.Itoa(taken.Addr().(*net.TCPAddr).Port)
	tests := []struct {
		name, from, to string
		want           bool
	}{
		{"none given", "", "", true},
		{"as our host asks", "0", "1", true},
		{"only one, taken", port, port, false},
		{"the wrong way round", "2", "1", false},
		{"no number", "x", "1", false},
		{"no port", "0", "65536", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			listener, err := listenPort(tt.from, tt.to)
			if (err == nil) != tt.want {
				t.Fatal(err)
			}
			if err != nil {
				return
			}
			defer listener.Close()
			if host, port, _ := net.SplitHostPort(listener.Addr().String()); host != "127.0.0.1" || port == "0" {
				t.Errorf("listens at %v", listener.Addr())
			}
		})
	}
}

// These two aren't parallel, since they change the environment.
func TestHostIsGoneBeforeTheHandshake(t *testing.T) {
	dir := shortDir(t)
	t.Setenv(envClientCert, hostCert(t))
	if _, _, err := announce(brokenPipe{}, dir); err == nil {
		t.Error("nobody heard of it, and it serves")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestHandshakeWithCertificate(t *testing.T) {
	t.Setenv(envClientCert, hostCert(t))
	var line bytes.Buffer
	listener, guard, err := announce(&line, shortDir(t))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	parts := strings.Split(strings.TrimSuffix(line.String(), "\n"), "|")
	if guard == nil || len(parts) != 6 || parts[0] != "1" || parts[4] != "grpc" || len(parts[5]) < 300 {
		t.Errorf("%q", line.String())
	}
}
