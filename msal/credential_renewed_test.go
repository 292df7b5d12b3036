package msal_test

import (
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"github.com/msalext/msalext/msal"
)

// TestRenewedCertificateOfOneKey: a file can hold two certificates for its key,
// and whatever signs must name the same one, and send that alone.
func TestRenewedCertificateOfOneKey(t *testing.T) {
	t.Parallel()
	older, newer := certify(t, 0, validNow, nil), certify(t, 0, validity{-time.Minute, 9 * time.Hour}, nil)
	other := certify(t, 1, validNow, nil)
	key := older.keyPEM(t)
	for name, text := range map[string]string{
		"A16 the older first": key + older.certPEM() + newer.certPEM() + other.certPEM(),
		"A16 the newer first": key + newer.certPEM() + other.certPEM() + older.certPEM(),
	} {
		for _, claims := range []map[string]any{nil, {"client_ip": "10.0.0.1"}} {
			for thumbprint, want := range map[string]certified{"": newer, newer.sha1(): newer, older.sha256(): older} {
				t.Run(fmt.Sprintf("%s, %d claims, thumbprint %.4q", name, len(claims), thumbprint), func(t *testing.T) {
					w := registered(t, want.cert)
					w.wantAccepted(msal.CertificatePEM([]byte(text), &msal.CertificateOptions{Thumbprint: thumbprint, SendX5C: true, Claims: claims}))
					header, _ := w.proof()
					chain, _ := header["x5c"].([]any)
					if len(chain) != 2 || chain[0] != base64.StdEncoding.EncodeToString(want.cert.Raw) || chain[1] != base64.StdEncoding.EncodeToString(other.cert.Raw) {
						t.Errorf("sent %d certificates, or another one first", len(chain))
					}
				})
			}
		}
	}
}
