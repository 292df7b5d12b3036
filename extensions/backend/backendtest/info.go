package backendtest

import (
	"github.com/msalext/msalext/extensions/backend"
)

func infoFaults() []fault {
	return []fault{
		{"changes its Info", "Info is the same for the life of a store, after Close too.", changesInfo},
		{"contradicts itself in Info", "Info has sensible values: what is encrypted names its method, and what isn't doesn't.", contradictsInfo},
	}
}

func changesInfo(c *trial) {
	t := c.track(c.harness.Open(c.T))
	first := t.store.Info()
	v := c.save(t.store, "", []byte("data"), backend.None)
	c.load(t.store, "")
	c.sameInfo("Save and Load", t.store, first)
	c.remove(t.store, "", v)
	c.sameInfo("Delete", t.store, first)
	c.mustClose(t)
	c.sameInfo("Close", t.store, first)
}

func (c *trial) sameInfo(after string, s backend.Store, want backend.Info) {
	c.Helper()
	if got := s.Info(); got != want {
		c.Errorf("after %s: %+v, was %+v", after, got, want)
	}
}

func contradictsInfo(c *trial) {
	info := c.open().Info()
	for _, problem := range []struct {
		is   bool
		text string
	}{
		{info.Encrypted && info.Method == "", "encrypted, and no method named"},
		{!info.Encrypted && info.Method != "", "not encrypted, and the method " + info.Method},
		{info.MaxBytes < 0, "a negative MaxBytes"},
		{info.Stamp < backend.StampNone || info.Stamp > backend.StampSignal, "an unknown stamp"},
		{info.Location == "", "no location for people"},
		{info.Caps&backend.CanPatch != 0, "the reserved power CanPatch"},
	} {
		if problem.is {
			c.Errorf("%s: %+v", problem.text, info)
		}
	}
	if _, ok := c.harness.(Configured); !ok && info.Stamp == backend.StampData {
		c.Errorf("a harness for a store with StampData needs the method of Configured")
	}
}
