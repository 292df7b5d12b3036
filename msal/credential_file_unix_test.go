//go:build unix

package msal_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/msalext/msalext/msal"
)

// TestCertificateFileOfKubernetes exchanges a secret as Kubernetes does: the
// files are symbolic links into a directory that is one itself, and that one is
// replaced.
func TestCertificateFileOfKubernetes(t *testing.T) {
	t.Parallel()
	t.Run("S2 symbolic links", func(t *testing.T) {
		first, second := certify(t, 0, validNow, nil), certify(t, 1, validNow, nil)
		dir := t.TempDir()
		version := func(name string, c certified) {
			folder := filepath.Join(dir, name)
			err := os.Mkdir(folder, 0o700)
			for file, content := range map[string]string{"tls.crt": c.certPEM(), "tls.key": c.keyPEM(t)} {
				if err == nil {
					err = os.WriteFile(filepath.Join(folder, file), []byte(content), 0o600)
				}
			}
			next := filepath.Join(dir, "..data_tmp")
			if err == nil {
				err = os.Symlink(name, next)
			}
			if err == nil {
				err = os.Rename(next, filepath.Join(dir, "..data"))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		version("..one", first)
		for _, file := range []string{"tls.crt", "tls.key"} {
			if err := os.Symlink(filepath.Join("..data", file), filepath.Join(dir, file)); err != nil {
				t.Fatal(err)
			}
		}
		w := registered(t, first.cert, second.cert)
		c, err := msal.CertificateFile(filepath.Join(dir, "tls.crt"), &msal.CertificateOptions{KeyFile: filepath.Join(dir, "tls.key")})
		w.wantAccepted(c, err)
		version("..two", second)
		w.wantAccepted(c, err)
		if header, _ := w.proof(); header["x5t#S256"] != base64URL(second.sha256()) {
			t.Error("not signed with the new certificate's key")
		}
	})
	t.Run("S2 a pipe", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "pipe")
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := msal.CertificateFile(path, nil) // which must not wait for somebody who writes
		wantCredentialError(t, err, msal.ErrCredential)
	})
}
