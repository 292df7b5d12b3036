package persist

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
	"github.com/msalext/msalext/extensions/tokencache"
	"github.com/msalext/msalext/internal/ownedfile"
)

// Quarantined is what Quarantine, or Restore, once moved aside.
type Quarantined struct {
	Name  string    // where it is: what Quarantine returned
	Key   string    // the item that it was, as for Persistence.Key
	Size  int64     // in bytes as stored; -1: not known
	Moved time.Time // in whole seconds
	// Why is what keeps it from being used as a token cache, as it is now. It is
	// empty where that doesn't show before it is restored: in an encrypted file.
	Why string
}

// usable is the Why of what could be restored and used at once.
const usable = "nothing: it is a token cache"

// Quarantined lists what was moved aside of all items of the store, whichever p
// is, oldest first. It reads each copy, and changes nothing.
//
// Where not all can be listed, the error comes with those that can.
// ErrUnsupported: the store neither lists nor has files.
func (p *Persistence) Quarantined(ctx context.Context) ([]Quarantined, error) {
	s, err := p.join(ctx)
	if err == nil {
		err = s.checkLocation()
	}
	if err != nil {
		return nil, err
	}
	list := s.quarantinedItems
	if s.info.Stamp == backend.StampData {
		list = s.quarantinedFiles
	}
	all, err := list(ctx)
	slices.SortFunc(all, func(a, b Quarantined) int {
		if c := a.Moved.Compare(b.Moved); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return all, err
}

// quarantinedItems are copies under keys of their own.
func (s *shared) quarantinedItems(ctx context.Context) ([]Quarantined, error) {
	lister, err := s.lister()
	if err != nil {
		return nil, err
	}
	keys, err := s.collect(s.patient(ctx, func(ctx context.Context) iter.Seq2[backend.KeyInfo, error] { return lister.Keys(ctx, "") }))
	if err != nil {
		return nil, err
	}
	var found []Quarantined
	for _, key := range keys {
		of, moved, aside := divide(key)
		if !aside {
			continue
		}
		q := Quarantined{Name: key, Key: of, Size: -1, Moved: moved}
		blob, err := s.load(ctx, key, backend.None)
		switch kind := backend.KindOf(err); {
		case errors.Is(err, backend.ErrNotFound): // removed since
			continue
		case err == nil:
			q.Size, q.Why = int64(len(blob.Data)), flaw(blob.Data)
		case kind == backend.ErrDecrypt || kind == backend.ErrCorrupt:
			q.Why = kind.Error()
		default:
			return found, err
		}
		found = append(found, q)
	}
	return found, nil
}

// quarantinedFiles are copies beside the items.
func (s *shared) quarantinedFiles(context.Context) (found []Quarantined, err error) {
	remnants, err := s.remnants()
	if err != nil {
		return nil, err
	}
	for _, r := range remnants {
		item, moved, aside := divide(r.path)
		if !aside {
			continue
		}
		key, kerr := s.keyOf(item)
		if kerr != nil {
			err = errors.Join(err, kerr)
			continue
		}
		q := Quarantined{Name: r.path, Key: key, Size: r.size, Moved: moved}
		if !s.info.Encrypted {
			blob, err := atomicfile.Read(r.path)
			if q.Why = flaw(blob.Data); err != nil {
				q.Why = err.Error()
			}
		}
		found = append(found, q)
	}
	return found, err
}

// divide is the inverse of asides; false for a name that isn't one of them.
func divide(name string) (of string, moved time.Time, aside bool) {
	if !asideKey().MatchString(name) {
		return "", time.Time{}, false
	}
	at := strings.LastIndex(name, asideMark)
	stamp, _, _ := strings.Cut(name[at+len(asideMark):], "-")
	moved, err := time.Parse(asideTime, stamp)
	return name[:at], moved, err == nil
}

// flaw is what is wrong with a token cache.
func flaw(data []byte) string {
	_, rest, err := tokencache.Leading(data)
	switch {
	case err != nil:
		return err.Error()
	case len(rest) > 0:
		return fmt.Sprintf("%d bytes follow the cache", len(rest))
	}
	return usable
}

// keyOf tells the key of an item by its file's path.
func (s *shared) keyOf(path string) (string, error) {
	if path == s.config.Path {
		return "", nil
	}
	name := strings.TrimPrefix(path, s.config.Path+".key-")
	key, err := url.PathUnescape(name)
	if err == nil && s.path(key) == path {
		return key, nil
	}
	kept, err := keptName(path)
	if err == nil && s.path(kept) == path {
		return kept, nil
	}
	untold := fmt.Errorf("the key of %s can't be told from its name", filepath.Base(path))
	if err != nil && !gone(err) {
		untold = fmt.Errorf("%w: %w", untold, err)
	}
	return "", &backend.Error{Op: "list", Backend: s.name, Kind: backend.ErrCorrupt, Err: untold}
}

// longestKey bounds what is read for a key, as package atomicfile does.
const longestKey = 1 << 20

// keptName reads the key that package atomicfile keeps beside an item whose file's
// name is a hash. What others planted in its place is refused, not followed.
func keptName(path string) (string, error) {
	f, err := ownedfile.Open(path+nameSuffix, os.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, longestKey+1))
	return string(data), err
}
