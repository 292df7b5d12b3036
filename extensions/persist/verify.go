package persist

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"os"

	"github.com/msalext/msalext/extensions/backend"
)

// Verify writes, reads and deletes a probe beside the real item, under a key
// of its own that no other process uses, and leaves nothing. It fails when
// the store doesn't give back what it took, and with ErrEncrypt when the store
// says that it encrypts and the probe can be read in clear, raw or in base64,
// in the file where the store keeps it.
//
// Where probes are files it also removes those, older than an hour, of
// processes that were killed in the middle; so does the first write.
func (p *Persistence) Verify(ctx context.Context) error {
	s, err := p.join(ctx)
	if err != nil {
		return err
	}
	s.sweepProbes()
	probe := "msalext probe " + rand.Text()
	key := newProbeKey()
	version, err := s.saveOnce(ctx, key, []byte(probe), backend.None)
	if err != nil {
		s.discardLost(context.WithoutCancel(ctx), key)
		return err
	}
	err = s.examine(ctx, key, probe)
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

// inClear looks for the probe in the file where the store said that it lies.
// base64 of a text depends on where in the encoded stream it begins, hence
// three forms; the outer characters mix with their neighbours and are cut.
func (s *shared) inClear(key, probe string) bool {
	if s.info.Stamp != backend.StampData {
		return false
	}
	file, err := os.ReadFile(s.path(key))
	if err != nil {
		return false // a store may name its files otherwise; then it announced wrongly, and Load notices nothing new
	}
	if bytes.Contains(file, []byte(probe)) {
		return true
	}
	for shift := range 3 {
		text := base64.RawStdEncoding.EncodeToString([]byte("\x00\x00"[:shift] + probe))
		if bytes.Contains(file, []byte(text[4:len(text)-4])) {
			return true
		}
	}
	return false
}
