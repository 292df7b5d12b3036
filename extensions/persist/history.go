package persist

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"os"
	"time"

	"github.com/msalext/msalext/extensions/tokencache"
	"github.com/msalext/msalext/internal/ownedfile"
)

// historySuffix ends the name of the file where processes of ours tell each
// other what they wrote, so that none takes another's deed for that of a peer.
// It is written under the item's lock only. A half written one, of a process
// that died, counts as empty: then less is put back.
const historySuffix = ".writes"

func (s *shared) historyPath(key string) string { return s.path(key) + historySuffix }

// history reads what was noted. It is false where that can't be told, as while
// somebody writes it.
func (s *shared) history(key string) (_ tokencache.History, ok bool) {
	h := tokencache.History{}
	f, err := ownedfile.Open(s.historyPath(key), os.O_RDONLY)
	if err != nil {
		return h, gone(err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil || json.Unmarshal(data, &h) != nil || h == nil {
		return tokencache.History{}, false
	}
	return h, true
}

// forgetHistory removes what was noted, where the item itself is about to go. The
// caller holds the item's lock.
func (s *shared) forgetHistory(ctx context.Context, key string) {
	if s.cas() { // which has none, and may have no path
		return
	}
	if err := ownedfile.Remove(ctx, s.historyPath(key)); err != nil && !gone(err) {
		s.log.Warn("msalext: a file with digests of what was stored could not be removed", "backend", s.name, "error", err)
	}
}

// noteHistory adds a write; the caller holds the item's lock.
func (s *shared) noteHistory(key string, w tokencache.Written) error {
	h, _ := s.history(key)
	h.Forget(time.Now().Add(-restorePatience - 2*restoreWindow)) // by then nobody puts it back any more
	h.Note(w)
	data, err := json.Marshal(h)
	if err != nil {
		return err
	}
	f, err := ownedfile.Open(s.historyPath(key), os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return ownedfile.Wrap("note a write", cmp.Or(err, f.Close()))
}
