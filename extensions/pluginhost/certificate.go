package pluginhost

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"

	"github.com/msalext/msalext/internal/wire"
)

// clientCertEnv tells a plugin which certificate to demand of its host, as PEM.
const clientCertEnv = "PLUGIN_CLIENT_CERT"

// A hostCert is the host's half of mutual TLS, made for one start. go-plugin
// makes its own when it is asked for AutoMTLS, on a curve that many gRPC
// libraries don't accept.
type hostCert struct {
	config *tls.Config
	pem    string
}

// newHostCert returns a configuration that trusts nobody: go-plugin adds the
// plugin's certificate, which comes with the handshake.
func newHostCert() (*hostCert, error) {
	cert, err := wire.SelfSigned()
	if err != nil {
		return nil, err
	}
	return &hostCert{
		config: &tls.Config{
			Certificates: []tls.Certificate{cert},
			RootCAs:      x509.NewCertPool(),
			ServerName:   "localhost",
			MinVersion:   tls.VersionTLS12,
		},
		pem: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})),
	}, nil
}

// certFor is nil where no TLS is wanted.
func certFor(o *Options) (*hostCert, error) {
	if !withTLS(o) {
		return nil, nil
	}
	return newHostCert()
}
