//go:build chaos

package chaos

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
)

// state is what a cache holds: a link of a chain, in a section that MSAL
// doesn't know. Each names the one that it was made from, so that a lost
// write shows as a second link with the same predecessor.
type state struct {
	N    int    `json:"n"`
	Prev string `json:"prev"` // Sum of the one before; empty: there was none
	Pad  string `json:"pad"`  // makes sizes differ
	Sum  string `json:"sum"`  // over all of the above
}

type document struct {
	Account map[string]json.RawMessage `json:"Account"`
	Chaos   struct {
		State state `json:"state"`
	} `json:"Chaos"`
}

func (s state) sum() string {
	h := sha256.Sum256(fmt.Appendf(nil, "%d %s %s", s.N, s.Prev, s.Pad))
	return hex.EncodeToString(h[:12])
}

func (s state) encode() ([]byte, error) {
	d := document{Account: map[string]json.RawMessage{}}
	d.Chaos.State = s
	return json.Marshal(d)
}

// parse reads a whole state; anything else is an error. Nothing at all is the
// state before the first.
func parse(data []byte) (state, error) {
	if len(data) == 0 {
		return state{}, nil
	}
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		return state{}, fmt.Errorf("%d bytes that nobody wrote: %w", len(data), err)
	}
	s := d.Chaos.State
	if s.sum() != s.Sum {
		return state{}, fmt.Errorf("state %d has the sum %s, not %s", s.N, s.sum(), s.Sum)
	}
	return s, nil
}

// next makes the state after the one in old. Most take a page or two, some ten.
func next(old []byte) (state, []byte, error) {
	was, err := parse(old)
	if err != nil {
		return state{}, nil, err
	}
	pad := make([]byte, mathrand.IntN(4<<10)+mathrand.IntN(2)*mathrand.IntN(20<<10))
	_, _ = rand.Read(pad)
	s := state{N: was.N + 1, Prev: was.Sum, Pad: hex.EncodeToString(pad)}
	s.Sum = s.sum()
	data, err := s.encode()
	return s, data, err
}
