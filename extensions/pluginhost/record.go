package pluginhost

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
)

// recordFormat is the version of the record's format.
const recordFormat = 1

// A record is the file that keeps what the user trusts: trusted.json beside
// [UserDir]. A higher format is refused, and so are fields that this version
// doesn't know: writing would lose them.
type record struct {
	Format  int       `json:"format"`
	Plugins []Trusted `json:"plugins"`
}

// recordPath is where the record lies, data being the user's data directory.
func recordPath(data string) (string, error) {
	if data == "" {
		return "", errNoHome
	}
	return filepath.Join(data, "msalext", "trusted.json"), nil
}

func readRecord(path string) (record, backend.Version, error) {
	blob, err := atomicfile.Read(path)
	if errors.Is(err, backend.ErrNotFound) {
		return record{}, backend.None, nil
	} else if err != nil {
		return record{}, backend.None, err
	}
	var r record
	d := json.NewDecoder(bytes.NewReader(blob.Data))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil || d.More() || r.Format != recordFormat {
		return record{}, backend.None, &backend.Error{Op: "read the trusted plugins", Kind: backend.ErrCorrupt,
			Err:  fmt.Errorf("%s isn't a record of format %d", path, recordFormat),
			Hint: "update this program if a newer one wrote it; else move the file away and trust the plugins again"}
	}
	return r, blob.Version, nil
}

// changeRecord reads, changes and writes the record, again where somebody else
// wrote in between. change may run more than once.
func changeRecord(ctx context.Context, change func([]Trusted) []Trusted) error {
	path, err := recordPath(userData())
	if err == nil {
		_, err = atomicfile.Prepare(path)
	}
	for err == nil {
		var was record
		var version backend.Version
		if was, version, err = readRecord(path); err != nil {
			return err
		}
		now := change(was.Plugins)
		if slices.Equal(now, was.Plugins) {
			return nil
		}
		if err = writeRecord(ctx, path, now, version); !errors.Is(err, backend.ErrConflict) {
			return err
		}
		err = ctx.Err()
	}
	return err
}

func writeRecord(ctx context.Context, path string, all []Trusted, version backend.Version) error {
	slices.SortStableFunc(all, func(a, b Trusted) int { return strings.Compare(a.Name, b.Name) })
	data, err := json.MarshalIndent(record{Format: recordFormat, Plugins: all}, "", "  ")
	if err != nil {
		return err
	}
	_, err = atomicfile.Write(ctx, path, append(data, '\n'), version)
	return err
}

// trusted is what the user trusts for a backend. Rights that the user doesn't
// have aren't the user's to give away.
func (s surroundings) trusted(name string) ([]Trusted, error) {
	path, err := recordPath(s.userData())
	if err != nil || s.elevated {
		return nil, nil
	}
	r, _, err := readRecord(path)
	return drop(r.Plugins, func(t Trusted) bool { return t.Name != name }), err
}
