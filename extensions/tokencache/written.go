package tokencache

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// Written is what one process wrote to a cache lately: for each thing that it
// added, changed or removed, what it left. It serves to put back what a program
// took away that wrote what it had read before. The zero value is nothing. It
// is not safe for concurrent use.
type Written struct {
	things map[thing]*left
}

// left is what a write left of one thing.
type left struct {
	entries []entry // copies
	now     string  // digest of the entries
	was     string  // and of those before
	seen    bool    // the write left it alone; known for History
	account bool    // the person's account was there before the write
	at      time.Time
}

// WrittenBy tells what a write did that replaced before by after, both
// serialized caches, at a time. Entries that no library can read don't count.
// The error is as of Merge.
func WrittenBy(before, after []byte, at time.Time) (Written, error) {
	var b, a TokenCache
	if err := b.read("before", before); err != nil {
		return Written{}, err
	}
	if err := a.read("after", after); err != nil {
		return Written{}, err
	}
	w := Written{map[thing]*left{}}
	was, now := b.places(), a.places()
	signedIn, still := was.accounts(), now.accounts()
	for _, all := range []places{was, now} {
		for t := range all {
			digest, former := now.digest(t), was.digest(t)
			seen, out := digest == former, signedIn[t.id.person] && !still[t.id.person]
			if !seen || out {
				w.things[t] = &left{entries: now.copies(t), now: digest, was: former, seen: seen, account: signedIn[t.id.person], at: at}
			}
		}
	}
	return w, nil
}

// Empty reports whether nothing was written.
func (w Written) Empty() bool { return len(w.things) == 0 }

// Last is when the last of the writes was, the zero time where there is none.
func (w Written) Last() (at time.Time) {
	for _, l := range w.things {
		if l.at.After(at) {
			at = l.at
		}
	}
	return at
}

// Add adds what was written later.
func (w *Written) Add(later Written) {
	if w.things == nil {
		w.things = map[thing]*left{}
	}
	for t, l := range later.things {
		if l.seen {
			continue
		}
		if old := w.things[t]; old != nil {
			l.account = l.account && old.account
		}
		w.things[t] = l
	}
}

// Renew makes all that was written as of a later time.
func (w *Written) Renew(at time.Time) {
	for _, l := range w.things {
		l.at = at
	}
}

// Forget drops what was written before a time.
func (w *Written) Forget(before time.Time) {
	for t, l := range w.things {
		if l.at.Before(before) {
			delete(w.things, t)
		}
	}
}

// Restore returns now, what is stored, with what w left, wherever that went
// back to what it was before; h is the history that all writes were noted in.
// since is when the first of that had been written; where nothing went back, it is
// the zero time and out is now.
//
// Tokens are told by their secrets. What is neither as it was nor as w left it
// was written by somebody who knew more, and stays, and so does what another
// write in h came after. Tokens of an account that others removed aren't put
// back, and nothing is removed again of a person who has tokens that h doesn't
// know: who got them signed in anew. The error is as of Merge.
func (w Written) Restore(now []byte, h History) (out []byte, since time.Time, err error) {
	var c TokenCache
	if err := c.read("now", now); err != nil {
		return nil, since, err
	}
	r := restorer{cache: &c, at: c.places(), history: h}
	for _, t := range w.order() {
		if l := w.things[t]; r.wanted(t, l) {
			r.put(t, l)
			if since.IsZero() || l.at.Before(since) {
				since = l.at
			}
		}
	}
	if since.IsZero() {
		return now, since, nil
	}
	return c.Serialize(), since, nil
}

// order has accounts first, since what becomes of a token depends on them.
func (w Written) order() []thing {
	return slices.SortedFunc(maps.Keys(w.things), func(a, b thing) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), strings.Compare(a.name(), b.name()))
	})
}

func (t thing) rank() Section {
	if t.kind == Accounts {
		return -1
	}
	return t.kind
}

// restorer holds one Restore.
type restorer struct {
	cache   *TokenCache
	at      places
	history History
}

func (r *restorer) wanted(t thing, l *left) bool {
	past, digest := r.history[t.name()], r.at.digest(t)
	if past.Now != l.now || digest == l.now || !slices.Contains(past.Was, digest) {
		return false
	}
	switch {
	case t.kind == AppMetadata:
		return l.now != ""
	case l.now == "":
		return !r.fresh(t.id.person)
	case digest == "" && l.account:
		return r.at.accounts()[t.id.person]
	}
	return true
}

// fresh reports whether a person has a token that nobody in the history knows.
func (r *restorer) fresh(p person) bool {
	for t := range r.at {
		if t.kind >= Accounts || t.id.person != p {
			continue
		}
		past, known := r.history[t.name()]
		if digest := r.at.digest(t); !known || digest != past.Now && !slices.Contains(past.Was, digest) {
			return true
		}
	}
	return false
}

// put makes a thing what it was left as.
func (r *restorer) put(t thing, l *left) {
	s := &r.cache.sections[t.kind]
	for _, pos := range r.at[t].positions {
		s.drop(pos)
	}
	now := place{of: s}
	for _, e := range l.entries {
		key := e.key
		for _, taken := s.find(key); taken; _, taken = s.find(key) { // by another thing
			key += "-"
		}
		s.put(key, e.raw)
		pos, _ := s.find(key)
		now.positions = append(now.positions, pos)
	}
	r.at[t] = now
}
