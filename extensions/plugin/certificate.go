package plugin

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"

	"github.com/msalext/msalext/internal/wire"
	"google.golang.org/grpc/credentials"
)

// mutualTLS makes a certificate for this one start, and demands the host's,
// which is PEM. What the host has to trust is returned as go-plugin's handshake
// carries it: DER in base64 without padding.
func mutualTLS(hostCert string) (credentials.TransportCredentials, string, error) {
	hosts := x509.NewCertPool()
	if !hosts.AppendCertsFromPEM([]byte(hostCert)) {
		return nil, "", errors.New("the host's certificate can't be read")
	}
	cert, err := wire.SelfSigned()
	if err != nil {
		return nil, "", err
	}
	guard := credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{cert},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    hosts,
		MinVersion:   tls.VersionTLS12,
	})
	return guard, base64.RawStdEncoding.EncodeToString(cert.Certificate[0]), nil
}
