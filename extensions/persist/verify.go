package persist

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/msalext/msalext/extensions/backend"
)

// Verify writes, reads and deletes a probe beside the real item, under a key
// of its own that no other process uses, and leaves nothing. It fails when
// the store doesn't give back what it took, and with ErrEncrypt when the store
// says that it encrypts and the probe can be read in clear, raw or in a common
// encoding such as base64, in a file that the store announced.
//
// Where probes are files it also removes those, older than an hour, of
// processes that were killed in the middle; so does the first write.
func (p *Persistence) Verify(ctx context.Context) error {
	s, err := p.join(ctx)
	if err != nil {
		return err
	}
	return s.tryProbe(ctx, func(context.Context, string, string) error { return nil })
}

// tryProbe does what Verify does, and also what the caller wants to see done
// while the probe is stored.
func (s *shared) tryProbe(ctx context.Context, also func(_ context.Context, key, probe string) error) error {
	s.sweepProbes()
	probe := "msalext probe " + rand.Text()
	key := newProbeKey()
	version, err := s.saveOnce(ctx, key, []byte(probe), backend.None)
	if err != nil {
		s.discardLost(context.WithoutCancel(ctx), key)
		return err
	}
	err = s.examine(ctx, key, probe)
	if err == nil {
		err = also(ctx, key, probe)
	}
	return errors.Join(err, s.discard(context.WithoutCancel(ctx), key, version))
}

func (s *shared) discard(ctx context.Context, key string, version backend.Version) error {
	_, err := bounded(ctx, s, "verify", func(ctx context.Context) (struct{}, error) {
		return struct{}{}, s.store.Delete(ctx, key, version)
	})
	return err
}

// discardLost removes a probe that was written although saving it failed.
func (s *shared) discardLost(ctx context.Context, key string) {
	blob, err := s.reread(ctx, key)
	if err == nil {
		_ = s.discard(ctx, key, blob.Version) // the failure to save is what counts
	}
}

func (s *shared) reread(ctx context.Context, key string) (backend.Blob, error) {
	return bounded(ctx, s, "verify", func(ctx context.Context) (backend.Blob, error) {
		return s.store.Load(ctx, key, backend.None)
	})
}

func (s *shared) examine(ctx context.Context, key, probe string) error {
	blob, err := s.reread(ctx, key)
	switch {
	case err != nil:
		return err
	case string(blob.Data) != probe:
		return &backend.Error{Op: "verify", Backend: s.name, Kind: backend.ErrCorrupt,
			Err: errors.New("a probe came back changed"), Hint: "this store can't be trusted with tokens; choose another backend"}
	case s.info.Encrypted && s.inClear(key, probe):
		return &backend.Error{Op: "verify", Backend: s.name, Kind: backend.ErrEncrypt,
			Err:  errors.New("the store says that it encrypts, and a probe can be read in its file"),
			Hint: "this backend doesn't do what it claims; choose another"}
	}
	return nil
}

// inClear looks for the probe in the files that the store announced: the one
// that PathFor names, whether it has the data or the signal, and Location where
// that is a file, with the log that SQLite writes first.
func (s *shared) inClear(key, probe string) bool {
	needles := disguises(probe)
	for _, path := range []string{s.path(key), s.info.Location, s.info.Location + "-wal"} {
		content := peruse(path)
		if slices.ContainsFunc(needles, func(needle []byte) bool { return bytes.Contains(content, needle) }) {
			return true
		}
	}
	return false
}

// perused is how much of a file is read: a probe that was just written to a
// file as large as that may stay unseen.
const perused = 64 << 20

// peruse reads a file without its line breaks, where encodings wrap. What can't
// be read holds nothing in clear: a store may name its files otherwise, and its
// Location may be words for people.
func peruse(path string) []byte {
	if fi, err := os.Stat(path); err != nil || !fi.Mode().IsRegular() || !filepath.IsAbs(path) {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	content, _ := io.ReadAll(io.LimitReader(f, perused))
	return bytes.ReplaceAll(bytes.ReplaceAll(content, []byte("\r"), nil), []byte("\n"), nil)
}

// disguises are the forms of a text that everybody can read: as it is, in
// UTF-16, in hex and in base64 of either alphabet. base64 of a text depends on
// where in the encoded stream it begins, hence three forms; the outer
// characters mix with their neighbours and are cut.
func disguises(text string) [][]byte {
	digits := hex.EncodeToString([]byte(text))
	wide := strings.Join(strings.Split(text, ""), "\x00") // of ASCII, in either byte order
	forms := []string{text, digits, strings.ToUpper(digits), wide}
	for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for shift := range 3 {
			code := alphabet.EncodeToString([]byte("\x00\x00"[:shift] + text))
			forms = append(forms, code[4:len(code)-4])
		}
	}
	var all [][]byte
	for _, form := range forms {
		all = append(all, []byte(form))
	}
	return all
}
