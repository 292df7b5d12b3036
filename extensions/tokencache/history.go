package tokencache

import (
	"slices"
	"time"
)

// History is what several processes wrote lately to a cache that they share,
// in the order in which they wrote: each notes there what it did, before
// anybody else writes. It has no secrets and no names, only digests, and can be
// written as JSON. The nil History is empty and can't be noted in.
type History map[string]Past

// Past is the past of one thing in a cache: an account, or a token for given
// scopes. Each state is a digest, "" where the thing isn't there.
type Past struct {
	Now string    `json:"now"`
	Was []string  `json:"was,omitempty"` // what it was before, oldest first
	At  time.Time `json:"at"`            // of the last write
}

// pastLimit bounds what is kept of one thing: more states than that nobody
// holds who wrote within some seconds.
const pastLimit = 16

// Note adds what was written last.
func (h History) Note(w Written) {
	for t, l := range w.things {
		name := t.name()
		past, known := h[name]
		if l.seen {
			if !known {
				h[name] = Past{Now: l.now, At: l.at}
			}
			continue
		}
		if known {
			past.add(past.Now)
		}
		past.add(l.was)
		past.Now, past.At = l.now, l.at
		past.Was = slices.DeleteFunc(past.Was, func(digest string) bool { return digest == l.now })
		h[name] = past
	}
}

func (p *Past) add(digest string) {
	if slices.Contains(p.Was, digest) {
		return
	}
	p.Was = append(slices.Clone(p.Was), digest)
	p.Was = p.Was[max(0, len(p.Was)-pastLimit):]
}

// Forget drops what was written before a time.
func (h History) Forget(before time.Time) {
	for name, past := range h {
		if past.At.Before(before) {
			delete(h, name)
		}
	}
}
