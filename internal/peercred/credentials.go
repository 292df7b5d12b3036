package peercred

import (
	"context"
	"net"

	"google.golang.org/grpc/credentials"
)

// Credentials returns transport credentials for either end of a gRPC
// connection that demand the peer that k describes and otherwise pass the
// bytes as they are: the kernel keeps a Unix socket private, so no TLS is
// needed. Anything but a Unix socket is refused. They are safe for concurrent
// use if k's functions are.
func (k Check) Credentials() credentials.TransportCredentials { return transport{k} }

type transport struct{ check Check }

func (t transport) ClientHandshake(_ context.Context, _ string, c net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return t.ServerHandshake(c)
}

func (t transport) ServerHandshake(c net.Conn) (net.Conn, credentials.AuthInfo, error) {
	if err := t.check.Conn(c); err != nil {
		return nil, nil, err
	}
	return c, info{credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity}}, nil
}

func (transport) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: protocol}
}

func (t transport) Clone() credentials.TransportCredentials { return t }

// OverrideServerName does nothing: a process has no host name.
func (transport) OverrideServerName(string) error { return nil }

const protocol = "peercred"

type info struct{ credentials.CommonAuthInfo }

func (info) AuthType() string { return protocol }

// ValidateAuthority admits any authority: the peer is known by its process.
func (info) ValidateAuthority(string) error { return nil }
