package pluginhost

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"math"
	"path/filepath"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
)

const (
	// verifiedMost is how many binaries are remembered; the oldest is forgotten.
	verifiedMost = 32
	// atRest is how old the last change of a binary must be for its hash to be
	// remembered: within one tick of a file system's clock, two seconds on some,
	// a second change would leave the same times.
	atRest = 5 * time.Second
)

// A verification is the hash of a binary whose status was mark when it was read.
type verification struct {
	Mark   string `json:"mark"`
	SHA256 string `json:"sha256"`
}

// verifiedPath is where hashes are remembered, so that a start doesn't read the
// whole binary each time. Nothing is lost with the file. With rights that the
// user doesn't have it isn't used, since the user can write it.
func (s surroundings) verifiedPath() string {
	dir := s.cacheDir()
	if s.elevated || !filepath.IsAbs(dir) {
		return ""
	}
	return filepath.Join(dir, "msalext", "verified.json")
}

// sum is the binary's SHA-256 in hex, from memory where the file didn't change.
func (s surroundings) sum(p *program) (string, error) {
	path := s.verifiedPath()
	mark, changed := p.mark()
	if path == "" || mark == "" {
		return p.hash()
	}
	all, version := remembered(path)
	for _, v := range all {
		if v.Mark == mark {
			return v.SHA256, nil
		}
	}
	sum, err := p.hash()
	if err == nil && time.Since(changed) > atRest {
		remember(path, append(all, verification{mark, sum}), version)
	}
	return sum, err
}

// remembered returns nothing where the file can't be understood.
func remembered(path string) ([]verification, backend.Version) {
	blob, err := atomicfile.Read(path)
	if err != nil {
		return nil, backend.None
	}
	var all []verification
	if json.Unmarshal(blob.Data, &all) != nil {
		return nil, blob.Version
	}
	return all, blob.Version
}

// remember keeps hashes for the next start. Where that fails, as on a full disk,
// the next start reads the binary again.
func remember(path string, all []verification, version backend.Version) {
	data, err := json.Marshal(all[max(len(all)-verifiedMost, 0):])
	if err == nil {
		_, err = atomicfile.Prepare(path)
	}
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, _ = atomicfile.Write(ctx, path, data, version)
	}
}

// hash reads the whole binary.
func (p *program) hash() (string, error) {
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(p.file, 0, math.MaxInt64)); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
