package redis

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

const (
	dialTimeout = 5 * time.Second
	// handshakeTimeout is shorter than any call's time, so that a server that
	// doesn't speak TLS isn't taken for one that hangs.
	handshakeTimeout = 2 * time.Second
)

// dialer connects to servers, also to those that Sentinel or Cluster name: it
// is where each address is known as it is, and so where a connection without
// TLS to another machine is refused.
type dialer struct {
	tls      *tls.Config
	insecure bool
}

func (d dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	nd := net.Dialer{
		Timeout: dialTimeout,
		// A machine that vanished is noticed after 45 s, also by a subscription.
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 5 * time.Second, Count: 3},
	}
	if d.tls == nil && !d.insecure {
		nd.Control = func(network, address string, _ syscall.RawConn) error { return onlyNear(network, address) }
	}
	conn, err := nd.DialContext(ctx, network, address)
	if err != nil || d.tls == nil {
		return conn, err
	}
	return d.handshake(ctx, conn, address)
}

func (d dialer) handshake(ctx context.Context, conn net.Conn, address string) (net.Conn, error) {
	config := d.tls
	if config.ServerName == "" {
		host, _, err := net.SplitHostPort(address)
		if err != nil { // a Unix socket
			host = "localhost"
		}
		config = config.Clone()
		config.ServerName = host
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		if late(err) {
			return nil, errNoHandshake
		}
		return nil, err
	}
	return secure, nil
}

// onlyNear refuses to connect to another machine. The address is the resolved
// one.
func onlyNear(network, address string) error {
	if strings.HasPrefix(network, "unix") {
		return nil
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	host, _, _ = strings.Cut(host, "%")                                         // the zone
	if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsLoopback()) { // empty: this machine
		return distant(address)
	}
	return nil
}

// refuseDistant refuses an address that is another machine's for certain. What
// a name stands for is seen when it is dialled.
func refuseDistant(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil
	}
	if ip := net.ParseIP(host); ip != nil && !ip.IsLoopback() {
		return distant(address)
	}
	return nil
}

func distant(address string) error {
	return &backend.Error{
		Kind: backend.ErrInvalid, Err: fmt.Errorf("without TLS, tokens and password would go to %s for everybody on the way to read", address),
		Hint: "set tls to true, with tls-ca-file where the certificate is your own; where the network is trusted, set insecure to true",
	}
}
