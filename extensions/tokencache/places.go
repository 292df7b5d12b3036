package tokencache

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// thing is what the entries of one section are that share an identity.
type thing struct {
	kind Section
	id   identity
}

// name is the same in every process, and tells nobody who the person is.
func (t thing) name() string {
	return digestOf(fmt.Sprintf("%d %q", t.kind, []string{
		t.id.home, t.id.cloud, t.id.client, t.id.realm, t.id.scopes, t.id.tokenType, t.id.extKey, t.id.asserts,
	}))
}

// place is where the entries of a thing are.
type place struct {
	of        *section
	positions []int
}

type places map[thing]place

// places lists all entries that a library can read.
func (c *TokenCache) places() places {
	all := places{}
	for k := range kinds {
		s := &c.sections[k]
		for pos, e := range s.all {
			if id, ok := identityOf(k, e.raw); ok {
				t := thing{k, id}
				all[t] = place{s, append(all[t].positions, pos)}
			}
		}
	}
	return all
}

// digest tells one content of a thing from another: by the secrets, since
// libraries write the rest of an entry each in its way. "" is nothing.
func (all places) digest(t thing) string {
	p := all[t]
	if len(p.positions) == 0 {
		return ""
	}
	var secrets []string
	for _, pos := range p.positions {
		secrets = append(secrets, secretOf(p.of.entries[pos].raw))
	}
	slices.Sort(secrets)
	return digestOf(fmt.Sprintf("%q", secrets))
}

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

func (all places) copies(t thing) (entries []entry) {
	p := all[t]
	for _, pos := range p.positions {
		e := p.of.entries[pos]
		entries = append(entries, entry{key: strings.Clone(e.key), raw: bytes.Clone(e.raw)})
	}
	return entries
}

// accounts are the people who are signed in.
func (all places) accounts() map[person]bool {
	in := map[person]bool{}
	for t, p := range all {
		if t.kind == Accounts && len(p.positions) > 0 {
			in[t.id.person] = true
		}
	}
	return in
}
