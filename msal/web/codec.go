package web

import (
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/msalext/msalext/extensions/backend"
)

// errUndecodable doesn't wrap what the codec says, which may hold what is stored.
var errUndecodable error = &backend.Error{
	Op: "decode a session", Kind: backend.ErrCorrupt,
	Hint: "every program with that session store needs the same codec, and has to register the same types with encoding/gob",
}

// codec tells sessions that it can't decode from other trouble.
type codec struct{ scs.Codec }

// Decode is that of scs.Codec.
func (c codec) Decode(data []byte) (time.Time, map[string]any, error) {
	deadline, values, err := c.Codec.Decode(data)
	if err != nil {
		return time.Time{}, nil, errUndecodable
	}
	return deadline, values, nil
}
