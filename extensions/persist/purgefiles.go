package persist

import (
	"context"
	"errors"
	"slices"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/internal/filelock"
	"github.com/msalext/msalext/internal/ownedfile"
)

// files removes the files of each item, under its lock where it has one.
func (g *purge) files(ctx context.Context) error {
	all, err := g.remnants()
	if err != nil {
		return err
	}
	var errs []error
	for len(all) > 0 && ctx.Err() == nil {
		item := all[0].of
		mine := slices.DeleteFunc(slices.Clone(all), func(r remnant) bool { return r.of != item })
		all = slices.DeleteFunc(all, func(r remnant) bool { return r.of == item })
		errs = append(errs, g.filesOf(ctx, item, mine))
	}
	return errors.Join(append(errs, context.Cause(ctx))...)
}

func (g *purge) filesOf(ctx context.Context, item string, files []remnant) error {
	if g.DryRun {
		g.foresee(files)
		return nil
	}
	if !g.cas() {
		lock, err := filelock.Acquire(ctx, item, filelock.Options{Logger: g.log, Java: g.java})
		if err != nil {
			return g.fail("purge", err)
		}
		defer func() {
			g.release(lock)
			// Another that queues there goes on with the old file: then two may try
			// for the lock at once, which costs order and nothing else.
			_ = g.removeFile(ctx, "lock", item+queueSuffix)
		}()
	}
	var errs []error
	for _, r := range files {
		if what := g.what(r); what != "" && (g.cas() || r.kind != lockSuffix && r.kind != queueSuffix) {
			errs = append(errs, g.removeFile(ctx, what, r.path))
		}
	}
	return errors.Join(errs...)
}

// foresee tells of files as Purge would that removes them.
func (g *purge) foresee(files []remnant) {
	for _, r := range files {
		what := g.what(r)
		switch {
		case r.kind == recordOf:
			what = "record"
		case what == "" && r.of == g.config.Path && g.info.Location == r.path:
			what = "store"
		}
		if what != "" {
			g.tell(Purged{what, r.path, true, r.size})
		}
	}
}

// what a remnant is to people; empty: it isn't removed with its item.
func (g *purge) what(r remnant) string {
	switch r.kind {
	case "":
		switch {
		case g.info.Stamp == backend.StampData && probeName().MatchString(r.path):
			return "probe"
		case g.info.Stamp == backend.StampData:
			return "item"
		case g.info.Stamp == backend.StampSignal && !g.left[r.of]: // by which a repeat may find the item
			return "signal"
		}
		return ""
	case asideMark:
		return "quarantined copy"
	case lockSuffix, queueSuffix:
		return "lock"
	case historySuffix, nameSuffix:
		return "note"
	case tempSuffix:
		return "temporary file"
	}
	return ""
}

func (g *purge) removeFile(ctx context.Context, what, path string) error {
	stamp, err := ownedfile.Stat(path)
	if err == nil {
		err = ownedfile.Remove(ctx, path)
	}
	switch {
	case gone(err):
		return nil
	case err == nil:
		g.tell(Purged{what, path, true, stamp.Size})
	}
	return g.fail("purge", err)
}
