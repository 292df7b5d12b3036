package plugin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"time"

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
	cert, err := selfSigned()
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

// selfSigned makes a certificate as go-plugin's hosts expect it. The curve is
// P-256: go-plugin's own choice, P-521, takes twenty times as long.
func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "localhost"},
		DNSNames:              []string{"localhost"},
		NotBefore:             time.Now().Add(-time.Minute),
		NotAfter:              time.Now().AddDate(30, 0, 0), // a process lives as long as its host
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true, // it signs itself, and some libraries trust nothing else to
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
