package persist

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/ownedfile"
	"github.com/msalext/msalext/internal/record"
)

// PurgeOptions tune Purge. Nil and the zero value remove all that is found.
type PurgeOptions struct {
	// DryRun tells Progress what would be removed, and changes nothing.
	DryRun bool
	// Keys are items to remove besides those that are found, for a store that
	// doesn't list what it holds.
	Keys []string
	// Progress is called after each thing that was removed. Nil: nobody is told.
	Progress func(Purged)
}

// Purged is a thing that Purge removed.
type Purged struct {
	What string // "item", "quarantined copy", "record", "lock" and the like, for people
	Name string // an item's key in a store that keeps no file for it, else a path
	File bool   // Name is a path
	Size int64  // in bytes as stored; -1: not known
}

// Purge removes everything that was ever kept at the location, whichever item p is:
// all items of the store, what can't be read included, what was moved aside, probes,
// signal, lock and temporary files, notes of who wrote, and at last the record of the
// backend. What belongs to other locations stays: an envelope's keys, a directory,
// even an empty one, the lock of MSAL Extensions for Java.
//
// Each item is removed under its lock, so who writes just then is waited for. End
// the programs that use the location all the same: what they write afterwards is
// stored anew, or, where a store's own file such as a database is gone, lost. What can't be removed
// doesn't keep the rest, and the errors are returned together; then the record
// stays, and Purge may be repeated. Unless it is a dry run, it closes the store.
//
// An item that can't be read goes with the store's own file, where it has one. A
// database that doesn't open at all has no Persistence to purge it: remove its file
// by hand, and the files beside it that begin with its name.
//
// Nothing stored is no error. ErrBackendChanged: another backend keeps the location.
// ErrUnsupported: the store neither lists nor has files, and no Keys are given; or a
// signal file's name doesn't tell the item's key, which Keys has to name.
func (p *Persistence) Purge(ctx context.Context, opts *PurgeOptions) error {
	s, err := p.join(ctx)
	if err != nil {
		return err
	}
	g := &purge{shared: s, left: map[string]bool{}}
	if opts != nil {
		g.PurgeOptions = *opts
	}
	if err := s.checkLocation(); err != nil {
		return err
	}
	err = g.items(ctx)
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if err = errors.Join(err, g.files(ctx)); err != nil || g.DryRun {
		return err
	}
	s.letGo()
	return cmp.Or(s.fail("purge", s.store.Close()), g.last(ctx))
}

// purge is one Purge.
type purge struct {
	*shared
	PurgeOptions
	left   map[string]bool // paths of the items that weren't removed
	doomed []Purged        // what goes with the store's own file
}

func (g *purge) tell(what Purged) {
	if g.Progress != nil {
		g.Progress(what)
	}
}

// items removes what the store keeps that isn't a file of its own at a known path.
func (g *purge) items(ctx context.Context) error {
	if g.info.Stamp == backend.StampData {
		return nil
	}
	infos, err := g.stored(ctx)
	errs := []error{err}
	for _, info := range infos {
		g.left[g.path(info.Key)] = true
	}
	for _, info := range infos {
		errs = append(errs, g.item(ctx, info))
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// item removes one item, or leaves what can't be read to the end of the file that
// it lies in.
func (g *purge) item(ctx context.Context, info backend.KeyInfo) error {
	err := error(nil)
	if !g.DryRun {
		err = g.exclusively(ctx, "purge", info.Key, func(ctx context.Context, _ func() error) error { return g.remove(ctx, info.Key) })
	}
	what := Purged{What: g.called(info.Key), Name: info.Key, Size: info.Size}
	switch {
	case err == nil:
		delete(g.left, g.path(info.Key))
		g.tell(what)
	case g.ownFile() && unreadable(err):
		g.doomed = append(g.doomed, what)
		return nil
	}
	return err
}

// ownFile tells that all items lie in a file of the store's own at the location,
// which is removed at last.
func (g *purge) ownFile() bool {
	return g.info.Stamp == backend.StampNone && g.info.Location == g.config.Path && g.config.Path != ""
}

// called is what an item is to people.
func (g *purge) called(key string) string {
	switch {
	case isProbe(key):
		return "probe"
	case g.isAside(key):
		return "quarantined copy"
	}
	return "item"
}

// stored are the items that the store lists, or that are told by their signal files,
// and those that the caller knows.
func (g *purge) stored(ctx context.Context) (infos []backend.KeyInfo, err error) {
	lister, can := backend.Can[backend.Lister](g.store, backend.CanList)
	switch {
	case can:
		for info, lerr := range g.patient(ctx, func(ctx context.Context) iter.Seq2[backend.KeyInfo, error] { return lister.Keys(ctx, "") }) {
			if lerr != nil {
				if err = g.fail("list", lerr); g.ownFile() && unreadable(err) {
					err = nil
				}
				break
			}
			infos = append(infos, info)
		}
	case g.info.Stamp == backend.StampSignal:
		var keys, untold []string
		keys, untold, err = g.keysOfFiles("purge", g.Keys)
		infos = named(keys)
		for _, path := range untold {
			g.left[path] = true
		}
	case g.Keys == nil:
		_, err = g.lister() // says what is missing
	}
	infos = append(infos, named(g.Keys)...)
	slices.SortFunc(infos, func(a, b backend.KeyInfo) int { return cmp.Compare(a.Key, b.Key) })
	return slices.CompactFunc(infos, func(a, b backend.KeyInfo) bool { return a.Key == b.Key }), err
}

func named(keys []string) (infos []backend.KeyInfo) {
	for _, key := range keys {
		infos = append(infos, backend.KeyInfo{Key: key, Size: -1})
	}
	return infos
}

// discarder is a store that removes also what it can't read: an envelope.
type discarder interface {
	Discard(ctx context.Context, key string) error
}

// remove removes an item, whatever it holds; the lock is held.
func (g *purge) remove(ctx context.Context, key string) error {
	ended := g.own.begin(key)
	_, err := bounded(ctx, g.shared, "purge", func(ctx context.Context) (struct{}, error) {
		if d, ok := g.store.(discarder); ok {
			return struct{}{}, d.Discard(ctx, key)
		}
		blob, err := g.store.Load(ctx, key, backend.None)
		if err == nil {
			err = g.store.Delete(ctx, key, blob.Version)
		}
		return struct{}{}, err
	})
	if errors.Is(err, backend.ErrNotFound) {
		err = nil
	}
	ended(backend.None, backend.None, errPurged)
	g.signal(key)
	return err
}

// errPurged: the versions aren't known, so a watch can't take the change for its own
// store's.
var errPurged = errors.New("purged")

// last removes what must be the last: a store's own file at the location, and the
// record, without which nobody would know what to open there.
func (g *purge) last(ctx context.Context) error {
	if g.ownFile() {
		for _, suffix := range []string{"-wal", "-shm", "-journal", ""} { // as SQLite leaves them after a crash
			if err := g.removeFile(ctx, "store", g.config.Path+suffix); err != nil {
				return err
			}
		}
		for _, what := range g.doomed {
			g.tell(what)
		}
	}
	if g.unlocated() {
		return nil
	}
	path := record.Path(g.config.Path)
	stamp, err := ownedfile.Stat(path)
	if gone(err) {
		return nil
	}
	if err = cmp.Or(err, record.Remove(ctx, g.config.Path, g.record())); err == nil {
		g.tell(Purged{"record", path, true, stamp.Size})
	}
	return g.fail("purge", err)
}
