package extensions

import (
	"context"

	"github.com/msalext/msalext/extensions/persist"
)

// MigrateOptions tune Migrate: what is deleted, allowed and reported.
type MigrateOptions = persist.MigrateOptions

// Migrate copies what from holds to another store and makes that one the
// keeper, so that the next BuildPersistence at to's location goes on with it:
// from plaintext to a key store, say, or to another location. Nothing is
// deleted unless opts say so, and then only what was read back from the target
// unchanged. Nil opts copy everything.
//
// Open both with Open: where from and to have one location, the record beside
// it names from's backend until Migrate is done, and BuildPersistence follows
// the record. See [persist.Migrate] for what happens to several items, to a
// target that isn't empty, and to programs that use either meanwhile, and for
// the errors.
func Migrate(ctx context.Context, from, to *Persistence, opts *MigrateOptions) error {
	return persist.Migrate(ctx, from, to, opts)
}
