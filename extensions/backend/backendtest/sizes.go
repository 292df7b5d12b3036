package backendtest

import "github.com/msalext/msalext/extensions/backend"

func sizeFaults() []fault {
	return []fault{
		{"stores empty data", "Save of no bytes fails with ErrInvalid and changes nothing.", storesEmpty},
		{"takes more than MaxBytes", "Save takes MaxBytes, and one more fails with ErrTooLarge and changes nothing.", takesTooMuch},
	}
}

func storesEmpty(c *trial) {
	s := c.open()
	for _, empty := range [][]byte{nil, {}} {
		_, err := s.Save(c.ctx, "new", empty, backend.None)
		c.wants("save of nothing", err, backend.ErrInvalid)
	}
	c.absent(s, "new")
	v := c.save(s, "old", []byte("data"), backend.None)
	_, err := s.Save(c.ctx, "old", nil, v)
	c.wants("save of nothing over an item", err, backend.ErrInvalid)
	c.holdsAt(s, "old", []byte("data"), v)
}

func takesTooMuch(c *trial) {
	const most = 256 << 20 // what a test may ask of a machine
	s := c.open()
	limit := s.Info().MaxBytes
	if limit <= 0 || limit > most {
		c.Logf("nothing to test: the store's limit is %d (0: none)", limit)
		return
	}
	full := noise(int(limit) + 1)
	_, err := s.Save(c.ctx, "new", full, backend.None)
	c.wants("save of MaxBytes + 1", err, backend.ErrTooLarge)
	c.absent(s, "new")
	v := c.save(s, "old", full[:limit], backend.None)
	_, err = s.Save(c.ctx, "old", full, v)
	c.wants("save of MaxBytes + 1 over an item", err, backend.ErrTooLarge)
	c.holdsAt(s, "old", full[:limit], v)
}
