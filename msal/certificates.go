package msal

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// What [ExtractCerts], and what makes a [Credential], finds wrong.
var (
	// ErrPrivateKey: a private key was given where a certificate belongs.
	ErrPrivateKey = errors.New("a private key, and no certificate")
	// ErrCertificate: what was given isn't a certificate.
	ErrCertificate = errors.New("not a certificate")
)

// maxCerts bounds a chain; real ones have two to four.
const maxCerts = 64

// ExtractCerts returns the certificates in a text, in their order, each as
// base64 of its DER form: what the x5c header of a JWT takes (RFC 7515 §4.1.6).
// The text is PEM (RFC 7468), in which everything but certificates is left out,
// or base64 alone. It stands for MSAL Python's extract_certs, and differs in
// two things: each certificate is parsed, and has no line breaks.
//
// Errors are [ErrPrivateKey] where there is a private key and no certificate,
// else [ErrCertificate]. They hold nothing of the text.
func ExtractCerts(text string) ([]string, error) {
	var certs []string
	rest := []byte(text)
	for number := 1; ; number++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := certificate(block.Bytes)
		if err != nil || len(certs) == maxCerts {
			return nil, fmt.Errorf("msalext: reading certificates: PEM block %d: %w", number, ErrCertificate)
		}
		certs = append(certs, cert)
	}
	if len(certs) > 0 {
		return certs, nil
	}
	return withoutPEM(text)
}

func withoutPEM(text string) ([]string, error) {
	if strings.Contains(text, "PRIVATE KEY") {
		return nil, fmt.Errorf("msalext: reading certificates: %w; pass the public certificate", ErrPrivateKey)
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil, fmt.Errorf("msalext: reading certificates: neither PEM nor base64: %w", ErrCertificate)
	}
	cert, err := certificate(der)
	if err != nil {
		return nil, fmt.Errorf("msalext: reading certificates: %w", err)
	}
	return []string{cert}, nil
}

func certificate(der []byte) (string, error) {
	if _, err := x509.ParseCertificate(der); err != nil {
		return "", ErrCertificate
	}
	return base64.StdEncoding.EncodeToString(der), nil
}
