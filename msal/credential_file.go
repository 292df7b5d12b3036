package msal

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"
)

// CertificateFile makes a credential of a file, PEM or PKCS#12, told by its
// content, and follows it: when the file, or [CertificateOptions.KeyFile],
// becomes another one, the next client assertion is signed with what it has
// become. To know, each assertion costs one stat per file; tokens that are
// cached need no assertion.
//
// While the new content can't be used (half written, a key without its
// certificate yet, another passphrase, expired), the old one goes on; a warning
// is logged, and OnError told, once for each thing that is wrong. Only when the
// old certificate has expired as well, the call that needs the assertion fails.
// A file whose certificate changes needs [CertificateOptions.SendX5C] or each
// certificate registered, and no Thumbprint.
//
// Symbolic links are followed, as Kubernetes exchanges secrets by them. The
// file must be usable now; errors are [*CredentialError], those of the file
// system inside.
func CertificateFile(path string, opts *CertificateOptions) (Credential, error) {
	if opts == nil {
		opts = &CertificateOptions{}
	}
	claims, err := encodeClaims(opts.Claims)
	if err != nil {
		return Credential{}, err
	}
	f := &certificateFile{paths: []string{path}, opts: *opts, signer: &assertionSigner{claims: claims, x5c: opts.SendX5C}}
	if opts.KeyFile != "" {
		f.paths = append(f.paths, opts.KeyFile)
	}
	if err := f.load(); err != nil {
		return Credential{}, err
	}
	return signedCredential(f.identity), nil
}

// certificateFile is what a file held when it could last be used.
type certificateFile struct {
	paths  []string
	opts   CertificateOptions
	signer *assertionSigner

	mu      sync.Mutex
	current *certificateIdentity
	digest  [sha256.Size]byte // of the content that current is of
	seen    []fs.FileInfo     // as they were before that was read; nil: look again
	wrong   string            // what was told last
}

// identity returns what to sign with now.
func (f *certificateFile) identity() (*certificateIdentity, *assertionSigner, error) {
	err := f.follow()
	f.mu.Lock()
	defer f.mu.Unlock()
	invalid, _ := errors.AsType[*CredentialError](f.current.valid(time.Now()))
	if invalid == nil {
		return f.current, f.signer, nil
	}
	if err != nil {
		invalid.Err = fmt.Errorf("%w; what the file has become can't be loaded: %w", invalid.Err, err)
	}
	return nil, nil, invalid.at(f.paths[0])
}

// follow loads the files again where they may have changed, and tells what is
// wrong with them.
func (f *certificateFile) follow() error {
	f.mu.Lock()
	if !f.changed() {
		f.mu.Unlock()
		return nil
	}
	before := f.current
	err := f.load()
	news := err != nil && err.Error() != f.wrong
	f.wrong = ""
	if err != nil {
		f.wrong = err.Error()
	}
	after := f.current
	f.mu.Unlock() // what OnError and the log do may take long, or ask for a token
	switch {
	case news:
		f.log().Warn("msalext: the application's certificate can't be loaded anew; the one before is used as long as it is valid", "error", err)
		if f.opts.OnError != nil {
			f.opts.OnError(err)
		}
	case err == nil && !after.same(before):
		f.log().Info("msalext: the application's certificate was exchanged", "path", f.paths[0])
	}
	return err
}

func (f *certificateFile) log() *slog.Logger { return cmp.Or(f.opts.Logger, slog.Default()) }

// changed tells whether the files aren't what was read.
func (f *certificateFile) changed() bool {
	now, err := statAll(f.paths)
	return err != nil || f.seen == nil || !slices.EqualFunc(f.seen, now, func(a, b fs.FileInfo) bool {
		return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
	})
}

// settles is how old a file must be for its time to be trusted: a second write
// within one tick of the file system's clock leaves the same time, and a tick
// may be two seconds.
const settles = 3 * time.Second

// load reads the files. An error leaves what is known as it is.
func (f *certificateFile) load() error {
	f.seen = nil
	seen, err := statAll(f.paths)
	if err != nil {
		return unreadableFile(f.paths[0], err)
	}
	start := time.Now()
	content, err := f.content()
	if err != nil {
		return err
	}
	digest := sha256.Sum256(content)
	if f.current == nil || digest != f.digest {
		id, err := newCertificateIdentity(content, credentialFormatOf(content), &f.opts)
		if e, ok := errors.AsType[*CredentialError](err); ok {
			return e.at(f.paths[0])
		}
		f.current, f.digest = id, digest
	}
	if !slices.ContainsFunc(seen, func(i fs.FileInfo) bool { return start.Sub(i.ModTime()) < settles }) {
		f.seen = seen
	}
	return nil
}

// content joins the files by a line's end, which the first may lack.
func (f *certificateFile) content() ([]byte, error) {
	var parts [][]byte
	for _, path := range f.paths {
		data, err := readCredential(path)
		if err != nil {
			return nil, unreadableFile(path, err)
		}
		parts = append(parts, data)
	}
	return bytes.Join(parts, []byte("\n")), nil
}

func statAll(paths []string) ([]fs.FileInfo, error) {
	var all []fs.FileInfo
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() { // to open a pipe would wait for who writes
			return nil, fmt.Errorf("%s isn't a regular file", path)
		}
		all = append(all, info)
	}
	return all, nil
}

// maxCredential bounds a file; a key with a long chain has some kilobytes.
const maxCredential = 1 << 20

func readCredential(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxCredential+1))
	if err == nil && len(data) > maxCredential {
		err = fmt.Errorf("it is larger than %d bytes", maxCredential)
	}
	return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), err
}

func unreadableFile(path string, err error) error {
	return &CredentialError{Kind: ErrCredential, Path: path, Err: err, Hint: "name a file that this program may read"}
}
