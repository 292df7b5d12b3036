package libsecret

import (
	"context"
	"errors"
	"regexp"

	"github.com/godbus/dbus/v5"

	"github.com/msalext/msalext/extensions/backend"
)

// KeePassXC differs from other services in what it does behind prompts, and in
// what it does to text. As of version 2.7:
//
//   - It makes an item when the client runs the prompt that CreateItem
//     returned. That shows nothing while the database is open.
//   - It removes an item when the client runs the prompt that Delete returned.
//     That asks a person, unless its settings say otherwise, and the question
//     stays on the screen when the prompt is withdrawn. So such items are
//     emptied instead, and marked by their label.
//   - It replaces placeholders such as {TITLE} or {REF:…} in what it hands out.

// keepassxc is the other name by which that program is on the bus.
const keepassxc = "org.keepassxc.KeePassXC.MainWindow"

// deletedLabel is the label of an item that was emptied to delete it.
const deletedLabel = "MSAL token cache (deleted)"

// placeholder is where one may begin, and where JSON has none but in a text.
var placeholder = regexp.MustCompile(`\{[A-Za-z]`)

var errAsks = &backend.Error{
	Kind: backend.ErrLocked, Err: errors.New("the Secret Service wants to ask a person first"),
	Hint: "turn off the confirmations for programs in the keyring program's settings",
}

func (s *service) isKeePassXC(ctx context.Context) (bool, error) {
	var owner string
	err := s.bus.daemon(ctx, "GetNameOwner", keepassxc).Store(&owner)
	if named(err, nameHasNoOwner) {
		return false, nil
	}
	return owner == s.owner, err
}

// created ends a creation that the service wants to go on with in a prompt.
// Only Unlock may ask a person.
func (s *service) created(ctx context.Context, prompt dbus.ObjectPath) error {
	if prompt == none {
		return nil
	}
	known, err := s.isKeePassXC(ctx)
	switch {
	case err != nil:
		return err
	case !known:
		s.withdraw(prompt)
		return errAsks
	}
	if err = s.ask(ctx, prompt, promptPatience); errors.Is(err, errDismissed) {
		return errAsks
	}
	return err
}

// removed ends a removal that the service wants to go on with in a prompt.
func (s *service) removed(ctx context.Context, it item, prompt dbus.ObjectPath) error {
	if prompt == none {
		return nil
	}
	s.withdraw(prompt)
	known, err := s.isKeePassXC(ctx)
	switch {
	case err != nil:
		return err
	case !known:
		return errAsks
	}
	if err := s.overwrite(ctx, it, nil); err != nil {
		return err
	}
	return s.rename(ctx, it, deletedLabel)
}

// deleted tells whether removed has emptied the item.
func (it item) deleted() bool { return it.label == deletedLabel }

func (s *service) rename(ctx context.Context, it item, label string) error {
	const of = "org.freedesktop.Secret.Item"
	return s.call(ctx, it.path, properties+"Set", of, "Label", dbus.MakeVariant(label)).Err
}

// kept is text in a form that the service doesn't change.
func (s *service) kept(ctx context.Context, text []byte) ([]byte, error) {
	if !placeholder.Match(text) {
		return text, nil
	}
	if changes, err := s.isKeePassXC(ctx); err != nil || !changes {
		return text, err
	}
	return encoded([]byte(marker), text), nil
}
