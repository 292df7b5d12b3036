package redis

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/msalext/msalext/extensions/backend"
)

// transport is the TLS that settings ask for; nil: none.
func transport(c backend.Config, wanted bool) (*tls.Config, error) {
	key := c.Secrets["tls-key"]
	for setting := range c.Settings {
		wanted = wanted || strings.HasPrefix(setting, "tls-")
	}
	switch {
	case !wanted && key == nil:
		return nil, nil
	case c.Settings["tls"] == "false":
		return nil, invalid("tls", "false", "leave it out, or leave out what begins with tls-")
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.Settings["tls-server-name"]}
	if path := c.Settings["tls-ca-file"]; path != "" {
		pem, err := certificates("tls-ca-file", path)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, invalid("tls-ca-file", path, "name a PEM file of certificates")
		}
	}
	return config, identify(config, c.Settings["tls-cert-file"], key)
}

// identify adds the client's certificate, if there is one.
func identify(config *tls.Config, path string, key backend.Secret) error {
	if path == "" && key == nil {
		return nil
	}
	if path == "" || key == nil {
		return invalid("tls-cert-file", path, "set it and tls-key (by tls-key-file or tls-key-env) together")
	}
	pem, err := certificates("tls-cert-file", path)
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(pem, key)
	if err != nil { // its text may quote the key's file
		return invalid("tls-cert-file", path, "name a PEM file of the certificate that belongs to tls-key")
	}
	config.Certificates = []tls.Certificate{pair}
	return nil
}

// maxPEM is more than the system's own certificates take.
const maxPEM = 4 << 20

func certificates(setting, path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &backend.Error{Kind: backend.ErrInvalid, Err: err, Hint: "correct the setting " + setting + ", or the file's permissions"}
	}
	defer f.Close()
	pem, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	if err == nil && len(pem) > maxPEM {
		err = errors.New("it is too large")
	}
	if err != nil {
		return nil, &backend.Error{Kind: backend.ErrInvalid, Err: err, Hint: "correct the setting " + setting}
	}
	return pem, nil
}
