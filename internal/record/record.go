// Package record reads and writes the small file beside a cache that tells
// which backend keeps it. It stops a program from silently using another
// backend, or plaintext after encryption, at a location where an earlier run
// left tokens.
//
// The file is the location with ".msalext" appended, one JSON object:
//
//	{"format":1,"backend":"libsecret","encrypted":true}
//
// Fields that a reader doesn't know are ignored; a higher format is refused.
package record

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/atomicfile"
)

const format = 1

// Record is what keeps the items of a location. The zero value: not recorded.
type Record struct {
	Backend   string `json:"backend"`
	Encrypted bool   `json:"encrypted"`
}

// Path is where the record of the location with this absolute path lies.
func Path(location string) string { return location + ".msalext" }

// Read returns a location's record, the zero Record when there is none.
// ErrCorrupt: the record can't be understood, or is of a newer format.
func Read(location string) (Record, error) {
	f, _, err := read(location)
	return f.Record, err
}

// Claim writes r where nothing is recorded, and checks it against what is. A
// backend that encrypts from now on is recorded as such, so that the way back
// to plaintext is refused. ErrBackendChanged: another backend keeps the
// location's items, or they are encrypted and r isn't.
func Claim(ctx context.Context, location string, r Record) error {
	for {
		was, version, err := read(location)
		if err == nil {
			err = was.Admits(location, r)
		}
		if err != nil || was.Record == r {
			return err
		}
		if err := write(ctx, location, was.with(r), version); !errors.Is(err, backend.ErrConflict) {
			return err
		}
	}
}

// Replace records that r keeps the location's items from now on, once they
// were brought over. ErrBackendChanged: neither was (or nothing) nor r is
// recorded.
func Replace(ctx context.Context, location string, was, r Record) error {
	for {
		now, version, err := read(location)
		if err != nil || now.Record == r {
			return err
		}
		if now.Backend != "" && now.Backend != was.Backend && now.Backend != r.Backend {
			return now.Admits(location, r)
		}
		if err := write(ctx, location, now.with(r), version); !errors.Is(err, backend.ErrConflict) {
			return err
		}
	}
}

// Remove forgets a location where nothing is stored any more, if was is what
// is recorded.
func Remove(ctx context.Context, location string, was Record) error {
	now, version, err := read(location)
	if err != nil || now.Backend != was.Backend || version == backend.None {
		return err
	}
	return atomicfile.Remove(ctx, Path(location), version)
}

// Room tells whether a location's directory, which is created where it is
// missing, can take files. ErrUnavailable: the disk is full or fails.
func Room(location string) error {
	_, err := atomicfile.Prepare(Path(location))
	return err
}

// Admits checks that what is recorded allows r to be used.
func (was Record) Admits(location string, r Record) error {
	switch {
	case was.Backend == "":
		return nil
	case was.Backend != r.Backend:
		return changed(r.Backend, fmt.Sprintf("%s was used with the backend %q", location, was.Backend))
	case was.Encrypted && !r.Encrypted:
		return changed(r.Backend, fmt.Sprintf("%s was encrypted and would not be any more", location))
	}
	return nil
}

func changed(to, why string) error {
	return &backend.Error{Op: "open", Backend: to, Kind: backend.ErrBackendChanged, Err: errors.New(why),
		Hint: "choose the recorded backend, bring the items over with Migrate, or use another location"}
}

// file is a record with the fields that this version doesn't know.
type file struct {
	Record
	all map[string]json.RawMessage
}

func read(location string) (file, backend.Version, error) {
	path := Path(location)
	blob, err := atomicfile.Read(path)
	if errors.Is(err, backend.ErrNotFound) {
		return file{}, backend.None, nil
	} else if err != nil {
		return file{}, backend.None, err
	}
	if last := lastRead.Load(); last != nil && bytes.Equal(last.data, blob.Data) {
		return last.file, blob.Version, nil
	}
	f, err := parse(path, blob.Data)
	if err != nil {
		return file{}, backend.None, err
	}
	lastRead.Store(&reading{blob.Data, f})
	return f, blob.Version, nil
}

// lastRead spares parsing what a process reads with each load and save, and
// finds nearly always the same. Neither it nor what it holds is ever changed.
var lastRead atomic.Pointer[reading]

type reading struct {
	data []byte
	file file
}

func parse(path string, data []byte) (file, error) {
	var f file
	var known struct {
		Format int `json:"format"`
		Record
	}
	err := cmp.Or(json.Unmarshal(data, &known), json.Unmarshal(data, &f.all))
	if err != nil || known.Format != format || known.Backend == "" {
		return file{}, &backend.Error{Op: "read the record", Kind: backend.ErrCorrupt,
			Err:  fmt.Errorf("%s isn't a record of format %d", path, format),
			Hint: "update this program if a newer one wrote it; else move the file away"}
	}
	f.Record = known.Record
	return f, nil
}

// with is the file for r, and keeps the fields that this version doesn't know.
func (f file) with(r Record) map[string]any {
	all := map[string]any{}
	for name, value := range f.all {
		all[name] = value
	}
	all["format"], all["backend"], all["encrypted"] = format, r.Backend, r.Encrypted
	return all
}

func write(ctx context.Context, location string, content map[string]any, base backend.Version) error {
	data, err := json.Marshal(content)
	if err != nil {
		return err
	}
	_, err = atomicfile.Write(ctx, Path(location), append(data, '\n'), base)
	return err
}
