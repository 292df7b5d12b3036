package wire

import (
	"math"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	pb "github.com/msalext/msalext/internal/wire/persistencepb"
)

// Every string field of a message is made printable before it is sent: gRPC
// refuses the whole message when one isn't UTF-8.

func describeResponse(d backend.Description) *pb.DescribeResponse {
	resp := &pb.DescribeResponse{
		Name: Clean(d.Name), Version: Clean(d.Version),
		Platforms: cleaned(d.Platforms), Environment: cleaned(d.Env),
	}
	for _, s := range d.Settings {
		resp.Settings = append(resp.Settings, &pb.Setting{Name: Clean(s.Name), Doc: Clean(s.Doc), Secret: s.Secret})
	}
	return resp
}

func cleaned(texts []string) []string {
	var all []string
	for _, text := range texts {
		all = append(all, Clean(text))
	}
	return all
}

func infoMessage(i backend.Info, s *scrubber) *pb.Info {
	return &pb.Info{
		Encrypted: i.Encrypted, Method: s.clean(i.Method), Against: s.clean(i.Against), Location: s.clean(i.Location),
		Stamp: pb.Stamp(i.Stamp), MaxBytes: i.MaxBytes, Capabilities: uint32(i.Caps),
	}
}

func configOf(req *pb.OpenRequest) backend.Config {
	secrets := map[string]backend.Secret{}
	for name, value := range req.GetSecrets() {
		secrets[name] = value
	}
	settings := backend.Settings(req.GetSettings())
	if settings == nil {
		settings = backend.Settings{}
	}
	return backend.Config{
		Location: string(req.GetLocation()), Path: string(req.GetPath()),
		Settings: settings, Secrets: secrets,
	}
}

func keyMessage(k backend.KeyInfo) *pb.KeysResponse {
	m := &pb.KeysResponse{Key: []byte(k.Key), Size: max(k.Size, -1)}
	if !k.Modified.IsZero() {
		m.ModifiedUnixSeconds, m.ModifiedNanos = k.Modified.Unix(), int32(k.Modified.Nanosecond())
	}
	return m
}

// ttlMessage rounds up: 0 would mean that the item never expires.
func ttlMessage(ttl time.Duration) int64 {
	if ttl <= 0 {
		return 0
	}
	return int64((ttl-1)/time.Millisecond) + 1
}

func ttlOf(milliseconds int64) time.Duration {
	if milliseconds > math.MaxInt64/int64(time.Millisecond) {
		return math.MaxInt64
	}
	return time.Duration(max(milliseconds, 0)) * time.Millisecond
}
