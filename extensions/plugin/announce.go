package plugin

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/msalext/msalext/internal/wire"
	"google.golang.org/grpc/credentials"
)

// coreProtocol is the version of go-plugin's own protocol.
const coreProtocol = 1

var errUnprotected = errors.New("the host sent no certificate, and without one every user of this machine could connect")

// announce listens, and tells the host where, with go-plugin's line
// "core|app|network|address|protocol|cert". The credentials are nil unless the
// host wants TLS.
func announce(host io.Writer, socketDir string) (net.Listener, credentials.TransportCredentials, error) {
	guard, cert, err := guardFor(os.Getenv(envClientCert))
	if err != nil {
		return nil, nil, err
	}
	listener, err := listen(socketDir)
	if err != nil {
		return nil, nil, err
	}
	at := listener.Addr()
	_, err = fmt.Fprintf(host, "%d|%d|%s|%s|grpc|%s\n", coreProtocol, wire.ProtocolVersion, at.Network(), at, cert)
	if err != nil {
		return nil, nil, errors.Join(err, listener.Close())
	}
	return listener, guard, nil
}

// guardFor returns mutual TLS when the host sent its certificate. Only a Unix
// socket may do without.
func guardFor(hostCert string) (credentials.TransportCredentials, string, error) {
	if hostCert != "" {
		return mutualTLS(hostCert)
	}
	if runtime.GOOS == "windows" {
		return nil, "", errUnprotected
	}
	return nil, "", nil
}

// listen opens a Unix socket in dir, or in the directory for temporary files
// when the host names none. Windows has a local port.
func listen(dir string) (net.Listener, error) {
	if runtime.GOOS == "windows" {
		return listenPort(os.Getenv(envMinPort), os.Getenv(envMaxPort))
	}
	if dir == "" {
		dir = os.TempDir()
	}
	return net.Listen("unix", filepath.Join(dir, "plugin"+strings.ToLower(rand.Text()[:8])))
}

// listenPort takes the first port of a range that is free. 0, which is both
// ends' default, stands for whatever the system gives.
func listenPort(least, most string) (net.Listener, error) {
	from, err1 := port(least)
	to, err2 := port(most)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	err := fmt.Errorf("ports %d to %d are no range", from, to)
	for n := from; n <= to; n++ {
		var listener net.Listener
		if listener, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(n))); err == nil {
			return listener, nil
		}
	}
	return nil, err
}

func port(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 16)
	return int(n), err
}
