package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/envelope"
)

// rewrapping is what the flags of rewrap say.
type rewrapping struct {
	newKey, retire, yes bool
	one                 bool // --key names an item, the main one by an empty name
}

func (c *command) rewrap() *cobra.Command {
	var r rewrapping
	cmd := &cobra.Command{
		Use:   "rewrap LOCATION --envelope SOURCE…",
		Short: "Encrypt anew what an application keeps in an envelope, with the key that comes first",
		Long: "Encrypts every item anew whose key isn't the first one of the first source; contents stay. To change\n" +
			"the key within a source, rewrap with --new-key, and 5 minutes later, when programs that run have the\n" +
			"new key, with --retire, which is refused while a copy is in quarantine: its key would be gone, too. To\n" +
			"change the source, name the new one first and the old one after it.",
	}
	cmd.Flags().BoolVar(&r.newKey, "new-key", false, "make a new key in the first source before")
	cmd.Flags().BoolVar(&r.retire, "retire", false, "remove the other keys from the first source afterwards; what they encrypt elsewhere is lost; not with --key")
	yesFlag(cmd, &r.yes)
	return c.onItem(cmd, func(ctx context.Context, p *extensions.Persistence) error {
		if len(c.envelope) == 0 {
			return usage("name where the keys are with --envelope: see msalext help key-sources")
		}
		r.one = cmd.Flags().Changed("key")
		first, err := c.source(ctx, c.envelope[0])
		if err != nil {
			return err
		}
		return c.encryptAnew(ctx, p, first, r)
	})
}

// encryptAnew does what the flags say, to keys before and after the items.
func (c *command) encryptAnew(ctx context.Context, p *extensions.Persistence, first envelope.Keys, r rewrapping) error {
	keys, err := r.changer(first)
	if err != nil {
		return err
	}
	if r.retire {
		if err := r.retirable(ctx, p); err != nil {
			return err
		}
		question := fmt.Sprintf("Remove the older keys from %s, once everything at %s is encrypted anew?", c.envelope[0], p.Location())
		if err := c.confirm(ctx, r.yes, question); err != nil {
			return err
		}
	}
	if r.newKey {
		if err := newKey(ctx, keys); err != nil {
			return err
		}
	}
	if err := r.items(ctx, p); err != nil {
		return err
	}
	if r.retire {
		if err := r.lastKey(ctx, p, keys); err != nil {
			return err
		}
	}
	answer := rewrapped{Location: p.Location(), Backend: p.Backend(), NewKey: r.newKey, Retired: r.retire}
	return c.emit(answer, func(w io.Writer) { fmt.Fprintln(w, answer) })
}

// items encrypts the items anew that are meant.
func (r rewrapping) items(ctx context.Context, p *extensions.Persistence) error {
	if r.one {
		return p.Rewrap(ctx)
	}
	err := p.RewrapAll(ctx)
	if e, ok := errors.AsType[*backend.Error](err); ok && e.Kind == backend.ErrUnsupported {
		return &backend.Error{Op: "rewrap", Backend: e.Backend, Kind: e.Kind, Err: e.Err,
			Hint: "rewrap each item with --key, the main one with --key \"\", and keep the older keys: which items need them can't be told"}
	}
	return err
}

// retirable refuses what would take the key of something that isn't encrypted anew.
func (r rewrapping) retirable(ctx context.Context, p *extensions.Persistence) error {
	if r.one {
		return usage("--retire and --key don't go together: the other items need the older keys; leave out --key, and all are encrypted anew")
	}
	aside, err := p.Quarantined(ctx)
	switch {
	case len(aside) == 1:
		return usage("1 copy is in quarantine, and its key would be gone: restore or delete it first; msalext quarantine list shows it")
	case len(aside) > 1:
		return usage("%d copies are in quarantine, and their keys would be gone: restore or delete them first; msalext quarantine list shows them", len(aside))
	case errors.Is(err, backend.ErrUnsupported): // then RewrapAll has said whether it knows all items
		return nil
	}
	return err
}

// lastKey removes the others. It looks again: an application may have moved something aside meanwhile.
func (r rewrapping) lastKey(ctx context.Context, p *extensions.Persistence, keys keychanger) error {
	if err := r.retirable(ctx, p); err != nil {
		return err
	}
	return keys.Retire(ctx)
}

// changer is the source where its keys are to be changed; else nil may come.
func (r rewrapping) changer(first envelope.Keys) (keychanger, error) {
	keys, changes := first.(keychanger)
	switch {
	case (r.newKey || r.retire) && !changes:
		return nil, usage("--new-key and --retire are for the sources file: and item:, whose keys msalext keeps")
	case r.newKey && r.retire:
		return nil, usage("--new-key and --retire don't go together: programs that run need 5 minutes to notice the new key")
	}
	return keys, nil
}

// keychanger is a source whose keys can be changed.
type keychanger interface {
	envelope.Creator
	Rotate(ctx context.Context) error
	Retire(ctx context.Context) error
}

// newKey adds a key, also to a source that has none yet.
func newKey(ctx context.Context, keys keychanger) error {
	err := keys.Rotate(ctx)
	if errors.Is(err, backend.ErrNotFound) {
		err = keys.CreateKey(ctx)
	}
	return err
}

type rewrapped struct {
	Location string `json:"location"`
	Backend  string `json:"backend"`
	NewKey   bool   `json:"new_key"`
	Retired  bool   `json:"retired"`
}

func (r rewrapped) String() string {
	text := plain(r.Location) + " is encrypted with the first key"
	switch {
	case r.NewKey:
		text += ", which is new"
	case r.Retired:
		text += "; the older ones are gone"
	}
	return text
}
