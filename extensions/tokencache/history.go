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
		if !l.seen || !slices.Contains(past.Was, l.now) { // else it went back, and whoever wrote it last puts that right
			past.become(l, known)
		}
		past.At = l.at
		h[name] = past
	}
}

// become notes what a thing is now: what a write left, or what somebody made of
// it in between.
func (p *Past) become(l *left, known bool) {
	if known {
		p.add(p.Now)
	}
	p.add(l.was)
	p.Now = l.now
	p.Was = slices.DeleteFunc(p.Was, func(digest string) bool { return digest == l.now })
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
