package msal_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/msalext/msalext/msal"
)

// elliptical is a certificate with a key of another kind.
func elliptical(t *testing.T) (certificate, key string, pfx []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	pfx, err = pkcs12.Modern.Encode(private, cert, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	return block("CERTIFICATE", der), block("EC PRIVATE KEY", sec1), pfx
}

// legacy is a key as OpenSSL's traditional format encrypts it (RFC 1423).
func legacy(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: der,
		Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "DES-EDE3-CBC,0123456789ABCDEF"}}))
}

// encryptedBy is PKCS#8 that says it is encrypted by an algorithm.
func encryptedBy(t *testing.T, algorithm asn1.ObjectIdentifier, parameters, data []byte) string {
	t.Helper()
	der, err := asn1.Marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}{pkix.AlgorithmIdentifier{Algorithm: algorithm, Parameters: asn1.RawValue{FullBytes: parameters}}, data})
	if err != nil {
		t.Fatal(err)
	}
	return block("ENCRYPTED PRIVATE KEY", der)
}

// pbes2 is the parameters for a cipher with an initialization vector.
func pbes2(t *testing.T, iv []byte) []byte {
	t.Helper()
	type kdf struct {
		Salt       []byte
		Iterations int
	}
	marshal := func(v any) asn1.RawValue {
		der, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return asn1.RawValue{FullBytes: der}
	}
	return marshal(struct{ KDF, Cipher pkix.AlgorithmIdentifier }{
		pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}, Parameters: marshal(kdf{[]byte("salt"), 1})},
		pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}, Parameters: marshal(iv)},
	}).FullBytes
}

func TestCredentialsRefused(t *testing.T) {
	t.Parallel()
	app, other := certify(t, 0, validNow, nil), certify(t, 1, validNow, nil)
	expired := certify(t, 0, validity{-2 * time.Hour, -time.Hour}, nil)
	future := certify(t, 0, validity{time.Hour, 2 * time.Hour}, nil)
	ecCert, ecKey, _ := elliptical(t)
	key, cert := app.keyPEM(t), app.certPEM()
	pkcs1 := x509.MarshalPKCS1PrivateKey(app.key)
	oidPBES2 := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	for name, c := range map[string]struct {
		text string
		kind error
	}{
		"A16 expired":                  {key + expired.certPEM(), msal.ErrCertificateExpired},
		"A16 not valid yet":            {key + future.certPEM(), msal.ErrCertificateNotYetValid},
		"A16 EC key":                   {ecKey + ecCert, msal.ErrKeyType},
		"A16 EC certificate":           {key + ecCert, msal.ErrKeyMismatch},
		"A16 key of another":           {other.keyPEM(t) + cert, msal.ErrKeyMismatch},
		"A16 several keys":             {key + cert + other.keyPEM(t), msal.ErrSeveralKeys},
		"A16 no key":                   {cert, msal.ErrNoKey},
		"A16 no certificate":           {key, msal.ErrPrivateKey},
		"A16 nothing":                  {"", msal.ErrNoKey},
		"A16 no PEM":                   {"what is this", msal.ErrNoKey},
		"A16 damaged certificate":      {key + block("CERTIFICATE", app.cert.Raw[:99]), msal.ErrCertificate},
		"A16 damaged key":              {block("PRIVATE KEY", []byte("damaged")) + cert, msal.ErrKeyType},
		"A16 damaged PKCS 1":           {block("RSA PRIVATE KEY", pkcs1[:99]) + cert, msal.ErrKeyType},
		"A16 cut short":                {key + cert[:len(cert)/2], msal.ErrCredential},
		"A16 public key":               {block("PUBLIC KEY", app.cert.RawSubjectPublicKeyInfo) + cert, msal.ErrNoKey},
		"A16 OpenSSH key":              {block("OPENSSH PRIVATE KEY", []byte("x")) + cert, msal.ErrKeyType},
		"S1 RFC 1423":                  {legacy(pkcs1) + cert, msal.ErrEncryption},
		"S1 PBES1":                     {encryptedBy(t, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 3}, nil, pkcs1) + cert, msal.ErrEncryption},
		"S1 short vector":              {encryptedBy(t, oidPBES2, pbes2(t, []byte("short")), make([]byte, 16)) + cert, msal.ErrEncryption},
		"S1 part of a block encrypted": {encryptedBy(t, oidPBES2, pbes2(t, make([]byte, 16)), make([]byte, 17)) + cert, msal.ErrEncryption},
		"S1 damaged encryption":        {block("ENCRYPTED PRIVATE KEY", []byte("damaged")) + cert, msal.ErrEncryption},
		"S1 nothing in it":             {encryptedBy(t, oidPBES2, pbes2(t, make([]byte, 16)), make([]byte, 16)) + cert, msal.ErrPassphrase},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := msal.CertificatePEM([]byte(c.text), &msal.CertificateOptions{Passphrase: "open sesame"})
			wantCredentialError(t, err, c.kind, "open sesame", keyMaterial(key))
		})
	}
}

// keyMaterial is a line of a key.
func keyMaterial(text string) string { return strings.Split(text, "\n")[3] }

// sequence and the rest write DER that no library would.
func sequence(parts ...[]byte) []byte {
	var content []byte
	for _, p := range parts {
		content = append(content, p...)
	}
	der, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: content})
	if err != nil {
		panic(err)
	}
	return der
}

func derOf(v any) []byte {
	der, err := asn1.Marshal(v)
	if err != nil {
		panic(err)
	}
	return der
}

func explicit(der []byte) []byte {
	wrapped, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true, Bytes: der})
	if err != nil {
		panic(err)
	}
	return wrapped
}

// plainPFX is an unencrypted PKCS#12 file with keys and certificates in it.
func plainPFX(keys [][]byte, certs ...[]byte) []byte {
	oid := func(last ...int) []byte {
		return derOf(append(asn1.ObjectIdentifier{1, 2, 840, 113549, 1}, last...))
	}
	var bags [][]byte
	for _, key := range keys {
		bags = append(bags, sequence(oid(12, 10, 1, 1), explicit(key)))
	}
	for _, cert := range certs {
		bags = append(bags, sequence(oid(12, 10, 1, 3), explicit(sequence(oid(9, 22, 1), explicit(derOf(cert))))))
	}
	content := func(der []byte) []byte { return sequence(oid(7, 1), explicit(derOf(der))) }
	return sequence(derOf(3), content(sequence(content(sequence(bags...)))))
}

func TestPFXRefused(t *testing.T) {
	t.Parallel()
	app, other := certify(t, 0, validNow, nil), certify(t, 1, validNow, nil)
	expired := certify(t, 0, validity{-2 * time.Hour, -time.Hour}, nil)
	pfx := func(c certified, of *x509.Certificate) []byte {
		data, err := pkcs12.Modern.Encode(c.key, of, nil, "open sesame")
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	good := pfx(app, app.cert)
	own, err := x509.MarshalPKCS8PrivateKey(app.key)
	if err != nil {
		t.Fatal(err)
	}
	_, _, ecPFX := elliptical(t)
	for name, c := range map[string]struct {
		data       []byte
		passphrase string
		kind       error
	}{
		"A16 PFX, wrong passphrase":                   {good, "a guess", msal.ErrPassphrase},
		"A16 PFX, no passphrase":                      {good, "", msal.ErrPassphrase},
		"A16 PFX, passphrase that it can't have":      {good, "open 🐎", msal.ErrPassphrase},
		"A16 PFX, passphrase where there is none":     {plainPFX([][]byte{own}, app.cert.Raw), "open sesame", msal.ErrPassphrase},
		"A16 PFX, cut short":                          {good[:len(good)/2], "open sesame", msal.ErrCredential},
		"A16 PFX, something else":                     {[]byte("0 is the first letter of DER"), "open sesame", msal.ErrCredential},
		"A16 PFX, EC":                                 {ecPFX, "", msal.ErrKeyType},
		"A16 PFX, several keys":                       {plainPFX([][]byte{own, own}, app.cert.Raw), "", msal.ErrSeveralKeys},
		"A16 PFX, no key":                             {plainPFX(nil, app.cert.Raw), "", msal.ErrNoKey},
		"A16 PFX, no certificate":                     {plainPFX([][]byte{own}), "", msal.ErrPrivateKey},
		"A16 PFX, certificate of another":             {pfx(app, other.cert), "open sesame", msal.ErrKeyMismatch},
		"A16 PFX, expired":                            {pfx(app, expired.cert), "open sesame", msal.ErrCertificateExpired},
		"A16 PFX, thumbprint of another, see options": {good, "open sesame", msal.ErrThumbprint},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := &msal.CertificateOptions{Passphrase: c.passphrase}
			if c.kind == msal.ErrThumbprint {
				o.Thumbprint = other.sha1()
			}
			_, err := msal.CertificatePFX(c.data, o)
			wantCredentialError(t, err, c.kind, "open sesame", "a guess", "🐎")
		})
	}
	t.Run("A16 PFX, what the others would be", func(t *testing.T) {
		registered(t, app.cert).wantAccepted(msal.CertificatePFX(plainPFX([][]byte{own}, other.cert.Raw, app.cert.Raw), nil))
	})
}
