package pluginhost

import (
	"bufio"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/msalext/msalext/internal/wire"
)

// maxHandshake bounds the line: the longest part is a certificate of some 900
// characters.
const maxHandshake = 16 << 10

// Why a handshake isn't accepted. None shows what the plugin wrote.
var (
	errNoHandshake = errors.New("it ended without having announced itself")
	errRubbish     = errors.New("it printed something other than go-plugin's handshake on standard output")
	errCore        = errors.New("it speaks another version of go-plugin's core protocol")
	errTransport   = errors.New("it doesn't serve gRPC")
	errAddress     = errors.New("it listens elsewhere than it was told")
	errCertificate = errors.New("its certificate is missing or can't be read")
)

// A handshake is go-plugin's line, "core|app|network|address|protocol|cert",
// as its docs/internals.md and server.go have it.
type handshake struct {
	network, address string
	cert             string // base64 of DER; empty without mutual TLS
}

// readHandshake reads the first line and no byte more than its limit.
func readHandshake(r *bufio.Reader) (string, error) {
	var line []byte
	for len(line) <= maxHandshake {
		c, err := r.ReadByte()
		switch {
		case err != nil && len(line) == 0:
			return "", errNoHandshake
		case err != nil || c == '\n':
			return strings.TrimSpace(string(line)), nil
		}
		line = append(line, c)
	}
	return "", errRubbish
}

// parseHandshake takes nothing on trust. socketDir is where a Unix socket has
// to be; empty: a loopback port is expected. tls demands a certificate.
func parseHandshake(line, socketDir string, tls bool) (handshake, error) {
	parts := strings.Split(line, "|")
	if len(parts) < 5 || len(parts) > 7 {
		return handshake{}, errRubbish
	}
	h := handshake{network: parts[2], address: parts[3]}
	if err := checkVersions(parts[0], parts[1]); err != nil {
		return handshake{}, err
	}
	if parts[4] != "grpc" {
		return handshake{}, errTransport
	}
	if err := checkAddress(h.network, h.address, socketDir); err != nil {
		return handshake{}, err
	}
	if tls {
		h.cert = strings.Join(parts[5:min(6, len(parts))], "")
		return h, checkCertificate(h.cert)
	}
	return h, nil
}

func checkVersions(core, app string) error {
	if _, err := strconv.Atoi(core); err != nil {
		return errRubbish
	}
	if core != "1" {
		return errCore
	}
	version, err := strconv.Atoi(app)
	if err != nil {
		return errRubbish
	}
	if version != wire.ProtocolVersion {
		return fmt.Errorf("it speaks version %d of the plugin protocol, this program version %d", version, wire.ProtocolVersion)
	}
	return nil
}

func checkAddress(network, address, socketDir string) error {
	if socketDir == "" {
		host, port, err := net.SplitHostPort(address)
		if n, perr := strconv.ParseUint(port, 10, 16); network != "tcp" || err != nil || host != "127.0.0.1" || perr != nil || n == 0 {
			return errAddress
		}
		return nil
	}
	if network != "unix" || filepath.Clean(address) != address || filepath.Dir(address) != socketDir {
		return errAddress
	}
	if info, err := os.Lstat(address); err != nil || info.Mode().Type() != os.ModeSocket {
		return errAddress
	}
	return nil
}

func checkCertificate(cert string) error {
	der, err := base64.RawStdEncoding.DecodeString(cert)
	if err != nil {
		return errCertificate
	}
	if _, err := x509.ParseCertificate(der); err != nil {
		return errCertificate
	}
	return nil
}

// line is what go-plugin gets to see, in place of what the plugin wrote.
func (h handshake) line() io.ReadCloser {
	text := fmt.Sprintf("1|%d|%s|%s|grpc|%s\n", wire.ProtocolVersion, h.network, h.address, h.cert)
	return io.NopCloser(strings.NewReader(text))
}
