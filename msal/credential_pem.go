package msal

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/youmark/pkcs8"
)

// credentialPEM takes PEM apart. Blocks that are neither keys nor certificates,
// such as parameters or a CSR, are left out.
func credentialPEM(text []byte, passphrase string) (credentialParts, error) {
	var parts credentialParts
	var keys int
	for number := 1; ; number++ {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		var err error
		switch {
		case block.Type == "CERTIFICATE" || block.Type == "TRUSTED CERTIFICATE" || block.Type == "X509 CERTIFICATE":
			err = parts.addCertificate(block)
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			keys++
			parts.key, err = keyOfPEM(block, passphrase)
		}
		if e, ok := errors.AsType[*CredentialError](err); ok {
			e.Err = fmt.Errorf("PEM block %d (%s)", number, block.Type)
			return credentialParts{}, e
		}
	}
	return parts, parts.complete(keys, text)
}

func (p *credentialParts) addCertificate(block *pem.Block) error {
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return &CredentialError{Kind: ErrCertificate, Hint: "export the certificate again"}
	}
	p.certs = append(p.certs, cert)
	return nil
}

// complete tells what is missing. Text that looks like the start of a block but
// ends within it is a file that is being written.
func (p *credentialParts) complete(keys int, rest []byte) error {
	switch {
	case bytes.Contains(rest, []byte("-----BEGIN ")):
		return &CredentialError{Kind: ErrCredential, Err: errors.New("a PEM block is damaged or cut short"),
			Hint: "export the key and the certificate again"}
	case keys == 0:
		return &CredentialError{Kind: ErrNoKey, Hint: "add the private key in PEM"}
	case keys > 1:
		return &CredentialError{Kind: ErrSeveralKeys, Err: fmt.Errorf("%d of them", keys), Hint: "leave the one that belongs to the certificate"}
	}
	return nil
}

// encryptAnew makes of every key that OpenSSL opens one that is opened here.
const encryptAnew = "encrypt it anew, for example by: openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -in old.pem -out new.pem"

func keyOfPEM(block *pem.Block, passphrase string) (*rsa.PrivateKey, error) {
	if _, encrypted := block.Headers["DEK-Info"]; encrypted || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
		return nil, &CredentialError{Kind: ErrEncryption, Hint: encryptAnew}
	}
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		if err != nil {
			return nil, &CredentialError{Kind: ErrKeyType, Hint: "export the key again"}
		}
		return key, nil
	case "PRIVATE KEY":
		return keyOfPKCS8(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		return keyOfEncryptedPKCS8(block.Bytes, passphrase)
	}
	return nil, notRSA()
}

func keyOfPKCS8(der []byte) (*rsa.PrivateKey, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, &CredentialError{Kind: ErrKeyType, Hint: "export the key again"}
	}
	return rsaKey(key)
}

func rsaKey(key any) (*rsa.PrivateKey, error) {
	if key, ok := key.(*rsa.PrivateKey); ok {
		return key, nil
	}
	return nil, notRSA()
}

func notRSA() error {
	return &CredentialError{Kind: ErrKeyType, Hint: "make a certificate with an RSA key of 2048 bits or more"}
}

// keyOfEncryptedPKCS8 opens a key. The library panics where the lengths in it
// don't fit its cipher, which a damaged file may bring about.
func keyOfEncryptedPKCS8(der []byte, passphrase string) (key *rsa.PrivateKey, err error) {
	defer func() {
		if recover() != nil {
			key, err = nil, &CredentialError{Kind: ErrEncryption, Hint: "export the key again"}
		}
	}()
	if passphrase == "" {
		return nil, &CredentialError{Kind: ErrPassphrase, Hint: "set Passphrase"}
	}
	opened, _, err := pkcs8.ParsePrivateKey(der, []byte(passphrase))
	switch {
	case err == nil:
		return rsaKey(opened)
	case strings.Contains(err.Error(), "incorrect password"): // the library has no type for it
		return nil, &CredentialError{Kind: ErrPassphrase, Hint: "correct Passphrase"}
	}
	return nil, &CredentialError{Kind: ErrEncryption, Hint: encryptAnew}
}
