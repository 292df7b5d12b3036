package msal_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/msalext/msalext/msal"
)

// pair is a certificate and its key, in PEM.
func pair(t testing.TB, name string) (cert, key string, der []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	der, err = x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(kind string, b []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
	}
	return encode("CERTIFICATE", der), encode("PRIVATE KEY", keyDER), der
}

func TestExtractCerts(t *testing.T) {
	t.Parallel()
	leaf, key, leafDER := pair(t, "leaf")
	issuer, _, issuerDER := pair(t, "issuer")
	text := base64.StdEncoding.EncodeToString
	other := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("not one")}))
	for _, c := range []struct {
		name, in string
		want     []string
		err      error
	}{
		{"one", leaf, []string{text(leafDER)}, nil},
		{"a chain", leaf + issuer, []string{text(leafDER), text(issuerDER)}, nil},
		{"what openssl prints", "subject=CN = leaf\n\n" + leaf + "\nissuer=x\r\n" + strings.ReplaceAll(issuer, "\n", "\r\n"), []string{text(leafDER), text(issuerDER)}, nil},
		{"with its key", key + leaf, []string{text(leafDER)}, nil},
		{"base64 alone", text(leafDER), []string{text(leafDER)}, nil},
		{"base64 in lines", strings.Join(strings.Split(leaf, "\n")[1:4], "\n"), nil, msal.ErrCertificate},
		{"base64 in lines, whole", wrap(text(leafDER)), []string{text(leafDER)}, nil},
		{"a key", key, nil, msal.ErrPrivateKey},
		{"a key, cut", key[:60], nil, msal.ErrPrivateKey},
		{"nothing", "", nil, msal.ErrCertificate},
		{"text", "hello", nil, msal.ErrCertificate},
		{"a block with something else in it", leaf + other, nil, msal.ErrCertificate},
		{"cut", leaf[:len(leaf)-40], nil, msal.ErrCertificate},
		{"too many", strings.Repeat(leaf, 65), nil, msal.ErrCertificate},
	} {
		t.Run("S6 "+c.name, func(t *testing.T) {
			t.Parallel()
			got, err := msal.ExtractCerts(c.in)
			if !slices.Equal(got, c.want) || !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
				t.Errorf("%v, %v", got, err)
			}
			if err != nil && len(err.Error()) > 120 {
				t.Error(err)
			}
		})
	}
}

func wrap(s string) string {
	var b strings.Builder
	for line := range slices.Chunk([]byte(s), 64) {
		fmt.Fprintf(&b, " %s\r\n", line)
	}
	return b.String()
}

func FuzzExtractCerts(f *testing.F) {
	leaf, key, _ := pair(f, "leaf")
	for _, seed := range []string{leaf, key, leaf + key, "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----", "AAAA"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		certs, err := msal.ExtractCerts(text)
		if err == nil == (len(certs) == 0) {
			t.Fatalf("%v, %v", certs, err)
		}
		for _, c := range certs {
			der, err := base64.StdEncoding.DecodeString(c)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := x509.ParseCertificate(der); err != nil {
				t.Error(err)
			}
		}
	})
}

func ExampleExtractCerts() {
	_, err := msal.ExtractCerts("-----BEGIN PRIVATE KEY-----\n…")
	fmt.Println(err)
	// Output: msalext: reading certificates: a private key, and no certificate; pass the public certificate
}
