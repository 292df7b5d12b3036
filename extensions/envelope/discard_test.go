package envelope_test

import (
	"errors"
	"testing"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/envelope"
)

func TestDiscard(t *testing.T) {
	t.Parallel()
	p := &place{}
	save(t, p.wrap(t, envelope.Fixed(key("lost")), nil), "a", "one", backend.None)
	save(t, p.bare(t), "b", "not an envelope", backend.None)
	s := p.wrap(t, envelope.Fixed(key("k")), nil)
	for _, key := range []string{"a", "b"} {
		if _, err := s.Load(t.Context(), key, backend.None); !errors.Is(err, backend.ErrDecrypt) {
			t.Errorf("%s: %v", key, err)
		}
		if err := s.Discard(t.Context(), key); err != nil {
			t.Errorf("%s: %v", key, err)
		}
		if err := s.Discard(t.Context(), key); !errors.Is(err, backend.ErrNotFound) {
			t.Errorf("%s, a second time: %v", key, err)
		}
	}
}
