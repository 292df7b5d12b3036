package persist

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"sync"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// Keys lists the items of the store whose key begins with prefix, each once and
// in any order, whichever item p is; the main item has the key "". Items that
// come or go meanwhile may be listed or not. Size is that of what is stored, and
// encrypted as it is. Probes of Verify and what Quarantine moved aside are left
// out.
//
// An empty store yields nothing. Where the list can't be had, or not all of it,
// the last thing that comes is an error, once. ErrUnsupported: this kind of store
// can't list. ErrTimeout: the store was silent for a minute.
//
//	for info, err := range p.Keys(ctx, "session/") {
//		if err != nil {
//			return err
//		}
//		fmt.Println(info.Key, info.Modified)
//	}
func (p *Persistence) Keys(ctx context.Context, prefix string) iter.Seq2[backend.KeyInfo, error] {
	return func(yield func(backend.KeyInfo, error) bool) {
		s, err := p.join(ctx)
		if err == nil {
			err = s.checkLocation()
		}
		var lister backend.Lister
		if err == nil {
			lister, err = s.lister()
		}
		if err != nil {
			yield(backend.KeyInfo{}, err)
			return
		}
		s.visible(s.patient(ctx, func(ctx context.Context) iter.Seq2[backend.KeyInfo, error] {
			return lister.Keys(ctx, prefix)
		}), yield)
	}
}

func (s *shared) lister() (backend.Lister, error) {
	lister, can := backend.Can[backend.Lister](s.store, backend.CanList)
	if !can {
		return nil, &backend.Error{Op: "list", Backend: s.name, Kind: backend.ErrUnsupported,
			Err: errors.New("this store can't tell what it holds"), Hint: "keep the keys elsewhere, or choose a store that lists them, such as file, dpapi, sqlite or redis"}
	}
	return lister, nil
}

// visible yields what programs have stored, and at most one error, which is the
// last.
func (s *shared) visible(all iter.Seq2[backend.KeyInfo, error], yield func(backend.KeyInfo, error) bool) {
	for info, err := range all {
		switch {
		case err != nil:
			yield(backend.KeyInfo{}, s.fail("list", err))
			return
		case isProbe(info.Key) || s.isAside(info.Key):
		case !yield(info, nil):
			return
		}
	}
}

var asideKey = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(asidePattern) })

// asidePattern is how the names of asides end.
const asidePattern = `\.corrupt-\d{8}T\d{6}Z(-\d{1,2})?$`

// isAside tells a key under which Quarantine keeps damage. Where each item is a
// file it renames that instead, so such a key is somebody's own.
func (s *shared) isAside(key string) bool {
	return s.info.Stamp != backend.StampData && asideKey().MatchString(key)
}

// listTimeout is how long a store may be silent while it lists. It is more than
// other calls have, since a server may look through all it has for a prefix, and
// nobody waits for a lock meanwhile.
const listTimeout = time.Minute

// patient yields what a store lists, and ends it when nothing comes for long.
// The time that the caller takes doesn't count.
func (s *shared) patient(ctx context.Context, list func(context.Context) iter.Seq2[backend.KeyInfo, error]) iter.Seq2[backend.KeyInfo, error] {
	return func(yield func(backend.KeyInfo, error) bool) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		silence := s.slow("list", fmt.Errorf("nothing came for %s", listTimeout))
		timer := time.AfterFunc(listTimeout, func() { cancel(silence) })
		defer timer.Stop()
		for info, err := range list(ctx) {
			timer.Stop()
			if err != nil && context.Cause(ctx) == silence {
				err = silence
			}
			if !yield(info, err) || err != nil {
				return
			}
			timer.Reset(listTimeout)
		}
		if context.Cause(ctx) == silence { // a store that just stops must not look complete
			yield(backend.KeyInfo{}, silence)
		}
	}
}
