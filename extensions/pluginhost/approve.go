package pluginhost

import (
	"slices"
	"strings"
	"time"
)

// admit checks a candidate from its way to its hash, and returns what may run.
func (s surroundings) admit(o *Options, c candidate) (*program, error) {
	p, err := open(c)
	if err != nil {
		return nil, err
	}
	if err := s.approve(o, c, p); err != nil {
		p.Close()
		return nil, c.refuse(err)
	}
	if p.sha256 == "" || !runsCopies || s.elevated { // then only root could put another file there
		return p, nil
	}
	defer p.Close()
	clone, err := s.checkedCopy(p)
	if err != nil {
		return nil, c.refuse(err)
	}
	return clone, nil
}

// approve decides by a binary's hash whether it may run, and notes the hash in
// p where one was needed. What the program pins comes first: nobody's trust
// widens it.
func (s surroundings) approve(o *Options, c candidate, p *program) error {
	trustNeeded := c.pinned || s.limit(o).policy >= PinnedPlugin
	if len(c.hashes) == 0 && !trustNeeded {
		return nil
	}
	sum, err := s.sum(p)
	if err != nil {
		return err
	}
	p.sha256 = sum
	if len(c.hashes) == 0 {
		return s.approveByUser(c, p)
	}
	if slices.ContainsFunc(c.hashes, func(h string) bool { return strings.EqualFold(h, sum) }) {
		return nil
	}
	return unsafeError{reason: "its SHA-256 is " + sum + ", which isn't the one expected", hint: "install the version that the program expects"}
}

func (s surroundings) approveByUser(c candidate, p *program) error {
	all, err := s.trusted(c.name)
	switch {
	case err != nil:
		return err
	case slices.ContainsFunc(all, func(t Trusted) bool { return strings.EqualFold(t.SHA256, p.sha256) }):
		return nil
	case len(all) > 0:
		return changedError(c, p.path, p.sha256, all)
	case c.pinned:
		return untrusted(c, "it lies in the user's own directory and its hash isn't trusted")
	}
	return untrusted(c, "its hash isn't trusted, and the policy lets nothing else run")
}

// changedError is the refusal of a binary in whose name others are trusted.
func changedError(c candidate, path, sum string, all []Trusted) error {
	for _, t := range all {
		if t.Path == path {
			return untrusted(c, "it changed since it was trusted on "+t.Added.Format(time.DateOnly)+": its SHA-256 is "+sum+" now")
		}
	}
	return untrusted(c, "its SHA-256 is "+sum+", and the user trusts another binary for this backend")
}

func untrusted(c candidate, reason string) error {
	return unsafeError{untrusted: true, reason: reason,
		hint: "once you are sure where it is from, run: msalext plugins trust " + c.path}
}
