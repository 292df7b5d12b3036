package tokencache

import (
	"bytes"
	"maps"
	"slices"
	"strings"
)

// A Change is what Merge carries over to what is stored.
type Change struct {
	Base, Ours []byte // as Merge takes them
	Op         Op
}

// Empty reports whether a change changes nothing, whatever it is applied to.
func (ch Change) Empty() bool {
	base, ours, ok := ch.parse()
	for k := range kinds {
		added, deleted := written(k, &base, &ours)
		ok = ok && len(added) == 0 && !deleted
	}
	return ok
}

// Narrow returns a change that does the same and holds the entries of one
// person alone, and that person's home account id in lower case, "" for the
// application itself. The result is false where the change concerns several,
// or takes anything away, as a sign-out does: it holds what it held then.
func (ch Change) Narrow() (narrow Change, person string, ok bool) {
	base, ours, ok := ch.parse()
	if !ok {
		return ch, "", false
	}
	people := map[string]bool{}
	for k := range kinds {
		added, deleted := written(k, &base, &ours)
		for _, e := range added {
			if k != AppMetadata {
				people[homeOf(e)] = true
			}
		}
		ok = ok && !deleted
	}
	if !ok || len(people) != 1 {
		return ch, "", false
	}
	for person = range people {
	}
	for _, c := range []*TokenCache{&base, &ours} {
		c.members = onlySections(c.members)
		for k := range AppMetadata {
			c.sections[k].keep(func(e *entry) bool { return homeOf(e) == person })
		}
	}
	return Change{base.rewrite(), ours.rewrite(), ch.Op}, person, true
}

// Collapse returns one change that does what first and then second do,
// whatever they are applied to. Both were narrowed to the same person. The
// result is false where that isn't known to be the same.
//
// It is known where both only add entries or write them anew, for the same
// clients, the second one started from what the first one led to, and wrote nothing that is older or
// says less. A refresh after a sign-in counts as one with it, but not a sign-in
// after a refresh: where others signed the person out, the sign-in comes back
// and what the refresh brought before doesn't.
func Collapse(first, second Change) (Change, bool) {
	if first.Op == OpSilent && second.Op != OpSilent {
		return Change{}, false
	}
	base, ours, ok1 := first.parse()
	start, end, ok2 := second.parse()
	reached, ok3 := first.reaches()
	if !ok1 || !ok2 || !ok3 {
		return Change{}, false
	}
	if !maps.Equal(writersOf(&base, &ours), writersOf(&start, &end)) {
		return Change{}, false // what is dropped or restored after a sign-out depends on the client
	}
	for k := range kinds {
		again, deleted := written(k, &start, &end)
		if deleted || !sameEntries(k, &start, &reached) || !ours.continued(k, again) {
			return Change{}, false
		}
	}
	// What the first one stored, or would have, is superseded as well.
	for _, e := range start.sections[RefreshTokens].all {
		tokens := &base.sections[RefreshTokens]
		if i, had := tokens.find(e.key); !had || !equal(RefreshTokens, tokens.entries[i].raw, e.raw) {
			tokens.put(e.key+" superseded", e.raw)
		}
	}
	return Change{base.rewrite(), ours.rewrite(), first.Op}, true
}

func (ch Change) parse() (base, ours TokenCache, ok bool) {
	ok = base.Deserialize(ch.Base) == nil && ours.Deserialize(ch.Ours) == nil
	base.whole()
	ours.whole()
	return base, ours, ok
}

// whole makes sure that rewrite writes the sections of a cache that was empty.
func (c *TokenCache) whole() {
	if c.src == nil {
		c.src = []byte("{}")
	}
}

// reaches is what a change makes of its own base, as MSAL Go reads it.
func (ch Change) reaches() (TokenCache, bool) {
	var c TokenCache
	merged, _, err := Merge(ch.Base, ch.Ours, ch.Base, ch.Op)
	if err != nil {
		return c, false
	}
	merged, err = Readable(merged)
	return c, err == nil && c.Deserialize(merged) == nil
}

// written returns the entries of ours that base hasn't, or has otherwise, and
// whether ours lacks one of base.
func written(k Section, base, ours *TokenCache) (entries []*entry, deleted bool) {
	b, o := &base.sections[k], &ours.sections[k]
	for _, e := range o.all {
		if i, had := b.find(e.key); !had || !equal(k, b.entries[i].raw, e.raw) {
			entries = append(entries, e)
		}
	}
	for _, e := range b.all {
		_, has := o.find(e.key)
		deleted = deleted || !has
	}
	return entries, deleted
}

// writersOf returns the clients that ours wrote entries for.
func writersOf(base, ours *TokenCache) map[string]bool {
	clients := map[string]bool{}
	for k := range AppMetadata {
		entries, _ := written(k, base, ours)
		for _, e := range entries {
			if f := factsOf(e.raw); f.client != "" {
				clients[f.holder().client] = true
			}
		}
	}
	return clients
}

// sameEntries reports whether two caches have the same in one section.
func sameEntries(k Section, a, b *TokenCache) bool {
	n := 0
	for _, e := range a.sections[k].all {
		i, ok := b.sections[k].find(e.key)
		if n++; !ok || !equal(k, e.raw, b.sections[k].entries[i].raw) {
			return false
		}
	}
	for range b.sections[k].all {
		n--
	}
	return n == 0
}

// continued writes entries into c, and reports whether each is new, or follows
// what is there.
func (c *TokenCache) continued(k Section, entries []*entry) bool {
	s := &c.sections[k]
	for _, e := range entries {
		if i, ok := s.find(e.key); ok && !follows(k, s.entries[i].raw, e.raw) {
			return false
		}
		s.put(e.key, e.raw)
	}
	return true
}

// follows reports whether an entry wins wherever the one before it won, and
// leaves nothing of it.
func follows(k Section, before, after []byte) bool {
	now := meaningful(k, after)
	for _, f := range meaningful(k, before) {
		if !slices.ContainsFunc(now, func(g field) bool { return bytes.Equal(f.quoted, g.quoted) }) {
			return false
		}
	}
	switch k {
	case AccessTokens:
		return !laterToken(before, after)
	case IDTokens:
		return issuedAt(before) <= issuedAt(after)
	}
	return true
}

func homeOf(e *entry) string {
	return strings.ToLower(unquote(valueOf(e.raw, `"home_account_id"`)))
}
