package persist

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/record"
)

// MigrateOptions tune Migrate. Nil and the zero value copy everything, delete
// nothing and don't give up encryption.
type MigrateOptions struct {
	// DeleteSource removes each item from the source, after all were copied
	// and the copies were read back. An item that changed meanwhile is copied
	// again first.
	DeleteSource bool
	// AllowPlaintext allows a target that doesn't encrypt.
	AllowPlaintext bool
	// DryRun checks everything that can be checked without writing, tells
	// Progress what would be copied, and changes nothing.
	DryRun bool
	// Keys are the items to copy, as for Persistence.Key; "" is the main item.
	// Nil: all that Migrate can find. Where a location changes its backend they
	// must be all, since what stays behind would be refused from then on.
	Keys []string
	// Progress is called after each item that was copied: done of total, and
	// its key. Nil: nobody is told.
	Progress func(done, total int, key string)
}

// Migrate copies what from holds to another store, and makes that one the
// keeper: the next BuildPersistence at to's location goes on with to's
// backend, also where from was used there until now.
//
// Given two main items it copies every item of the store: those that a store
// lists (CanList), else those whose files lie beside the location. A store that
// neither lists nor has files tells of its main item alone, so name the others
// in Keys. Given an item of Persistence.Key, it copies that one to the other.
// What Quarantine moved aside is copied too; what can't be read of that stays in
// the source, and with it the source's record.
//
// Under the locks of both, each item is read, stored, read back and compared.
// Where the target holds something else, token caches are united: nobody is
// signed out, and where both hold the same entry, the target's refresh token
// and account stay and the later access token. So Migrate may be repeated, and
// goes on where an earlier one was ended. But what a source holds that was kept
// counts each time: who signed out at the target meanwhile is signed in again.
//
// Programs may use both stores meanwhile. What they write into the source is
// copied too, where the two are different backends at one location; else it may
// stay in the source, which is then not deleted.
//
// Whenever it ends, by an error, ctx or a kill, no item is lost: the backend
// that is recorded holds them all. Items are deleted last, and the source's
// record with the last of them.
//
// An unreadable source ends it with the source's error before anything is
// written. ErrInvalid: from and to are one item, or keep theirs in one file, or
// Keys leaves out what the location holds that changes its backend. ErrDenied: AllowPlaintext is needed. ErrNotFound: nothing is stored at from.
// ErrConflict: the target holds something that isn't a token cache and differs,
// or others kept changing an item. ErrBackendChanged: yet another backend keeps
// one of the locations. ErrCorrupt: a copy came back changed. ErrTooLarge: an
// item is too large for the target. Locked stores are not unlocked: ErrLocked.
func Migrate(ctx context.Context, from, to *Persistence, opts *MigrateOptions) error {
	m, err := newMigration(ctx, from, to, opts)
	if err != nil {
		return err
	}
	if err := m.permitted(); err != nil {
		return err
	}
	keys, err := m.plan(ctx)
	if errors.Is(err, backend.ErrNotFound) { // an earlier migration may have been ended at its last step
		return errors.Join(err, m.leave(ctx))
	}
	if err != nil || m.opts.DryRun {
		return err
	}
	if err := m.distinct(ctx); err != nil {
		return err
	}
	for i, key := range keys {
		if err := m.under(ctx, key, m.copy); err != nil {
			return err
		}
		m.progress(i+1, len(keys), key)
	}
	return m.finish(ctx)
}

// migration is one Migrate.
type migration struct {
	opts     MigrateOptions
	from, to *shared
	one      *[2]string // the keys at from and to, where one item is copied
	moved    bool       // from and to share the location, and its record has to change
	handed   bool       // it has changed
	copied   map[string][]byte
}

func newMigration(ctx context.Context, from, to *Persistence, opts *MigrateOptions) (*migration, error) {
	m := &migration{copied: map[string][]byte{}}
	if opts != nil {
		m.opts = *opts
	}
	if from == nil || to == nil {
		return nil, m.invalid("a store is missing", "open both first")
	}
	var err error
	if m.from, err = from.join(ctx); err != nil {
		return nil, err
	}
	if m.to, err = to.join(ctx); err != nil {
		return nil, err
	}
	if from.key != "" || to.key != "" {
		m.one = &[2]string{from.key, to.key}
	}
	m.moved = m.to.config.Path != "" && m.from.place() == m.to.place() && m.from.name != m.to.name
	return m, nil
}

func (m *migration) invalid(why, hint string) error {
	return &backend.Error{Op: "migrate", Kind: backend.ErrInvalid, Err: errors.New(why), Hint: hint}
}

// permitted checks what shows without reading an item.
func (m *migration) permitted() error {
	switch {
	case m.sameItem():
		return m.invalid("source and target are the same", "open another location or another backend")
	case m.one != nil && m.opts.Keys != nil:
		return m.invalid("a single item has no further keys", "give the main items of both stores, or no Keys")
	case m.one != nil && m.moved:
		return m.invalid("one item can't change its backend alone", "give the main items of both stores, so that all are migrated")
	case m.oneFile():
		return m.invalid("source and target keep their items in the same file, "+m.to.config.Path,
			"migrate to another location with DeleteSource, and from there back if it has to be this one")
	case !m.to.info.Encrypted && !m.opts.AllowPlaintext:
		return &backend.Error{Op: "migrate", Backend: m.to.name, Kind: backend.ErrDenied,
			Err:  errors.New("the target doesn't encrypt"),
			Hint: "choose a target that encrypts, or set MigrateOptions.AllowPlaintext"}
	}
	if !m.moved {
		if err := m.to.checkLocation(); err != nil {
			return err
		}
		return m.from.checkLocation()
	}
	was, err := record.Read(m.to.config.Path)
	if err == nil && was.Backend != m.to.name { // else an earlier migration was ended
		err = was.Admits(m.to.config.Path, record.Record{Backend: m.from.name, Encrypted: true})
	}
	return m.to.fail("migrate", err)
}

// sameItem tells that source and target are opened alike, at one place.
func (m *migration) sameItem() bool {
	a, b := m.from, m.to
	alike := a == b || a.name == b.name && a.place() == b.place() && maps.Equal(a.config.Settings, b.config.Settings) &&
		maps.EqualFunc(a.config.Secrets, b.config.Secrets, func(x, y backend.Secret) bool { return bytes.Equal(x, y) })
	return alike && m.sameKey()
}

func (m *migration) sameKey() bool { return m.one == nil || m.one[0] == m.one[1] }

// oneFile tells that an item would have to be replaced in place, where no
// moment exists at which old and new are both whole.
func (m *migration) oneFile() bool {
	return m.from.info.Stamp == backend.StampData && m.to.info.Stamp == backend.StampData &&
		m.from.place() == m.to.place() && m.sameKey()
}

// distinct finds out that two stores are one in truth, say one keyring with
// two labels: deleting the source would delete the target. The probe also
// shows that the target works.
func (m *migration) distinct(ctx context.Context) error {
	return m.to.tryProbe(ctx, func(ctx context.Context, key, probe string) error {
		blob, err := m.from.reread(ctx, key)
		if err == nil && string(blob.Data) == probe && m.sameKey() {
			return m.invalid("source and target are the same store under two names", "open another location or another backend")
		}
		return nil // what else the source has to say of a strange key doesn't matter
	})
}

func (m *migration) progress(done, total int, key string) {
	if m.opts.Progress != nil {
		m.opts.Progress(done, total, key)
	}
}

// target is the key under which an item of the source is stored.
func (m *migration) target(key string) string {
	if m.one != nil {
		return m.one[1]
	}
	return key
}

// plan lists what is to be copied and reads all of it, so that what can't be
// read, united or stored shows before anything is written.
func (m *migration) plan(ctx context.Context) ([]string, error) {
	listed, err := m.list(ctx)
	if err != nil {
		return nil, err
	}
	if err := m.complete(ctx); err != nil {
		return nil, err
	}
	var keys []string
	for _, key := range listed {
		_, result, found, err := m.weigh(ctx, key)
		if !found && m.stays(key, err) {
			continue
		}
		if err == nil && found {
			keys = append(keys, key)
			err = m.fits(result)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(keys) == 0 && !m.moved {
		return nil, &backend.Error{Op: "migrate", Backend: m.from.name, Kind: backend.ErrNotFound,
			Err: fmt.Errorf("nothing at %s", m.from.config.Location), Hint: "see whether the source is the right one"}
	}
	for i, key := range keys {
		if m.opts.DryRun {
			m.progress(i+1, len(keys), key)
		}
	}
	return keys, nil
}
