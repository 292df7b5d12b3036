package backendtest

import (
	"bytes"

	"github.com/msalext/msalext/extensions/backend"
)

// Bytes that text-minded stores change.
var altered = []struct {
	name string
	data []byte
}{
	{"NUL bytes", []byte("\x00a\x00\x00b\x00")},
	{"bytes that aren't UTF-8", []byte("\xff\xfe\xc3\x28\xed\xa0\x80\xf5")},
	{"every byte value", everyByte()},
	{"line ends and spaces", []byte(" \r\n\n\r\t\x1a \ufefftext\ufeff \r\n\n")},
	{"text like its own encoding", []byte(`"bnVsbA==" %00 %s \u0000 &amp; {"a":null}`)},
}

func everyByte() []byte {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return all
}

// Sizes at which stores are known to have limits: 2,560 bytes is a Windows
// credential, 4 MiB a gRPC message, 16 MiB a cache of ten thousand entries.
var sizes = []struct {
	name string
	size int
}{
	{"1 B", 1}, {"2,560 B", 2560}, {"4 KiB", 4 << 10}, {"64 KiB", 64 << 10},
	{"4 MiB - 1 B", 4<<20 - 1}, {"4 MiB", 4 << 20}, {"4 MiB + 1 B", 4<<20 + 1}, {"16 MiB", 16 << 20},
}

func roundTripFaults() []fault {
	const doc = "Load returns the bytes that Save got, in the store that saved and in another."
	all := []fault{{
		"finds what was never stored",
		"Load of an item that isn't stored fails with ErrNotFound, whatever version the caller names.",
		findsNothing,
	}}
	for _, a := range altered {
		all = append(all, fault{"alters " + a.name, doc, func(c *trial) { c.roundTrip(a.data) }})
	}
	for _, s := range sizes {
		all = append(all, fault{"alters " + s.name, doc, func(c *trial) { c.roundTrip(noise(s.size)) }})
	}
	return append(all, fault{
		"leaves the tail of a longer item",
		"Save replaces the whole item, also by a shorter one.",
		leavesTail,
	})
}

// roundTrip expects that data comes back, or that it is refused when the store
// says that it takes less.
func (c *trial) roundTrip(data []byte) {
	c.Helper()
	s := c.open()
	if limit := s.Info().MaxBytes; limit > 0 && int64(len(data)) > limit {
		c.Logf("nothing to test: the store takes %d bytes at most", limit)
		return
	}
	c.save(s, "", data, backend.None)
	c.holds(s, "", data)
	c.holds(c.reopen(), "", data)
}

func findsNothing(c *trial) {
	s := c.open()
	c.absent(s, "")
	c.absent(s, "a key")
	_, err := s.Load(c.ctx, "", "a version that never was")
	c.wants("load of nothing with a version at hand", err, backend.ErrNotFound)
}

func leavesTail(c *trial) {
	s := c.open()
	v := c.save(s, "", bytes.Repeat([]byte("long"), 500), backend.None)
	c.save(s, "", []byte("short"), v)
	c.holds(s, "", []byte("short"))
	c.holds(c.reopen(), "", []byte("short"))
}
