package backendtest

import (
	"bytes"

	"github.com/msalext/msalext/extensions/backend"
)

func ownershipFaults() []fault {
	return []fault{
		{"keeps the slice that Save got", "What the caller does to its data after Save changes nothing in the store.", keepsSlice},
		{"hands out its own slice", "Callers own what Load returned: changing it changes nothing in the store.", lendsSlice},
		{"writes into the slice that Save got", "Save changes neither the caller's data nor what lies behind it.", writesSlice},
	}
}

func keepsSlice(c *trial) {
	s := c.open()
	data := []byte("original")
	v := c.save(s, "k", data, backend.None)
	copy(data, "scribble")
	c.holdsAt(s, "k", []byte("original"), v)
}

func lendsSlice(c *trial) {
	s := c.open()
	v := c.save(s, "k", []byte("original"), backend.None)
	copy(c.load(s, "k").Data, "scribble")
	c.holdsAt(s, "k", []byte("original"), v)
	_ = append(c.load(s, "k").Data[:0], "longer than before"...)
	c.holdsAt(s, "k", []byte("original"), v)
}

func writesSlice(c *trial) {
	s := c.open()
	whole := bytes.Repeat([]byte("abcdefgh"), 20)
	before := bytes.Clone(whole)
	c.save(s, "k", whole[:100], backend.None) // the capacity reaches behind the data
	if !bytes.Equal(whole, before) {
		c.Errorf("the caller's slice was changed: %s", difference(whole, before))
	}
}
