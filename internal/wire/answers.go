package wire

import (
	"strings"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	pb "github.com/msalext/msalext/internal/wire/persistencepb"
)

// What a plugin may answer at most. A message is bounded by MaxMessage; these
// bound what many small parts or messages could pile up.
const (
	maxList    = 256      // settings, platforms, variables
	maxVersion = 64 << 10 // bytes
	maxKey     = 1 << 20  // bytes
	maxListing = 64 << 20 // bytes of all keys of a listing, each with keyCost on top
	keyCost    = 64       // bytes: what a host keeps of a key beside its name
)

// A listing counts what a plugin lists, since callers collect it.
type listing struct{ bytes int }

// takes counts one more key, and tells whether it is still within bounds.
func (l *listing) takes(key []byte) bool {
	l.bytes += len(key) + keyCost
	return len(key) <= maxKey && l.bytes <= maxListing
}

// description checks what a backend says of itself.
func (o origin) description(resp *pb.DescribeResponse) (backend.Description, error) {
	if max(len(resp.GetSettings()), len(resp.GetPlatforms()), len(resp.GetEnvironment())) > maxList {
		return backend.Description{}, o.broke("its description is too long")
	}
	d := backend.Description{
		Name: Clean(resp.GetName()), Version: Clean(resp.GetVersion()), Platforms: cleaned(resp.GetPlatforms()),
	}
	for _, s := range resp.GetSettings() {
		d.Settings = append(d.Settings, backend.Setting{Name: Clean(s.GetName()), Doc: Clean(s.GetDoc()), Secret: s.GetSecret()})
	}
	for _, name := range resp.GetEnvironment() {
		if name == "" || name != Clean(name) || strings.Contains(name, "=") {
			return d, o.broke("it wants an environment variable that can't exist")
		}
		d.Env = append(d.Env, name)
	}
	return d, nil
}

// infoOf keeps what this version of the protocol knows. A stamp from the
// future is none, so that the plugin is asked each time.
func infoOf(m *pb.Info, s *scrubber) backend.Info {
	i := backend.Info{
		Encrypted: m.GetEncrypted(), Method: s.clean(m.GetMethod()), Against: s.clean(m.GetAgainst()),
		Location: s.clean(m.GetLocation()), MaxBytes: max(m.GetMaxBytes(), 0),
		Caps: backend.Caps(m.GetCapabilities()) & known,
	}
	switch m.GetStamp() {
	case pb.Stamp_STAMP_DATA:
		i.Stamp = backend.StampData
	case pb.Stamp_STAMP_SIGNAL:
		i.Stamp = backend.StampSignal
	}
	return i
}

func (o origin) blob(resp *pb.LoadResponse, have backend.Version) (backend.Blob, error) {
	v, err := o.version(resp.GetVersion())
	switch {
	case err != nil:
		return backend.Blob{}, err
	case resp.GetUnchanged() && v != have:
		return backend.Blob{}, o.broke("unchanged from a version that nobody named")
	case resp.GetUnchanged():
		return backend.Blob{Version: v, Unchanged: true}, nil
	case len(resp.GetData()) == 0:
		return backend.Blob{}, o.broke("an item without data")
	}
	return backend.Blob{Data: resp.GetData(), Version: v}, nil
}

// version checks the version of an item that is stored.
func (o origin) version(raw []byte) (backend.Version, error) {
	if len(raw) == 0 {
		return backend.None, o.broke("an item without a version")
	}
	return o.anyVersion(raw)
}

func (o origin) anyVersion(raw []byte) (backend.Version, error) {
	if len(raw) > maxVersion {
		return backend.None, o.broke("a version that is too long")
	}
	return backend.Version(raw), nil
}

func keyInfoOf(m *pb.KeysResponse) backend.KeyInfo {
	return backend.KeyInfo{
		Key: string(m.GetKey()), Size: max(m.GetSize(), -1),
		Modified: timeOf(m.GetModifiedUnixSeconds(), m.GetModifiedNanos()),
	}
}

// lastSecond is the end of the year 9999, beyond which times have no text form.
const lastSecond = 253402300799

// timeOf returns the zero time, which means "not known", for any that makes no
// sense.
func timeOf(seconds int64, nanos int32) time.Time {
	known := seconds > 0 || seconds == 0 && nanos > 0
	if !known || seconds > lastSecond || nanos < 0 || time.Duration(nanos) >= time.Second {
		return time.Time{}
	}
	return time.Unix(seconds, int64(nanos))
}
