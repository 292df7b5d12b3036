package keychain

import (
	"errors"
	"fmt"

	"github.com/msalext/msalext/extensions/backend"
)

// item names a generic password. Only service, account and accessGroup are
// searched by; the others count when it is made.
type item struct {
	service, account, label, accessGroup, accessibility string
}

// security is what is needed of Apple's framework of that name: SecItem…,
// which answers with a status. With ask, macOS may show a dialog; without, it
// answers interactionNotAllowed instead.
type security interface {
	read(i item, ask bool) ([]byte, status)
	add(i item, data []byte) status
	update(i item, data []byte) status
	remove(i item) status
	accounts(i item) ([]string, status) // all of the service
	unlock() status                     // asks for the keychain's password
}

// status is an OSStatus. The values are those of SecBase.h and MacErrors.h.
type status int32

const (
	success               status = 0
	userCanceled          status = -128
	notAvailable          status = -25291
	readOnly              status = -25292
	authFailed            status = -25293
	noSuchKeychain        status = -25294
	invalidKeychain       status = -25295
	duplicateItem         status = -25299
	itemNotFound          status = -25300
	noDefaultKeychain     status = -25307
	interactionNotAllowed status = -25308
	interactionRequired   status = -25315
	noAccessForItem       status = -25243
	invalidOwnerEdit      status = -25244
	undecodable           status = -26275
	missingEntitlement    status = -34018
)

type meaning struct {
	kind error
	hint string
}

const unlockHint = "unlock the login keychain: in a desktop session by calling Unlock (choose Always Allow), over SSH with `security unlock-keychain`"

var meanings = map[status]meaning{
	itemNotFound:          {backend.ErrNotFound, ""},
	duplicateItem:         {backend.ErrConflict, "load it again and repeat the change"},
	interactionNotAllowed: {backend.ErrLocked, unlockHint},
	interactionRequired:   {backend.ErrLocked, unlockHint},
	userCanceled:          {backend.ErrDenied, "call Unlock again and allow the access"},
	authFailed:            {backend.ErrDenied, "enter the login keychain's own password; after a change of the account's password it may be the old one"},
	noAccessForItem:       {backend.ErrDenied, "let the program use the item: Keychain Access, the item's Access Control"},
	invalidOwnerEdit:      {backend.ErrDenied, "delete the item in Keychain Access: another program owns it"},
	readOnly:              {backend.ErrDenied, "make the login keychain writable"},
	missingEntitlement:    {backend.ErrDenied, "sign the program with the entitlement keychain-access-groups, or set no access-group"},
	notAvailable:          {backend.ErrUnavailable, "run the program in a user's session: a daemon has no login keychain"},
	noSuchKeychain:        {backend.ErrUnavailable, "create a login keychain in Keychain Access"},
	noDefaultKeychain:     {backend.ErrUnavailable, "choose a default keychain in Keychain Access, or with `security default-keychain -s login.keychain`"},
	invalidKeychain:       {backend.ErrCorrupt, "restore the login keychain from a backup"},
	undecodable:           {backend.ErrDecrypt, "delete the item in Keychain Access and sign in again; until then it is kept"},
}

// err turns a status into an error of the kind it means.
func (s status) err() error {
	if s == success {
		return nil
	}
	m, known := meanings[s]
	if !known {
		m = meaning{backend.ErrUnavailable, fmt.Sprintf("`security error %d` explains the number", int32(s))}
	}
	return &backend.Error{Kind: m.kind, Err: s, Hint: m.hint}
}

func (s status) Error() string { return fmt.Sprintf("macOS answered %d", int32(s)) }

func is(err error, s status) bool {
	var got status
	return errors.As(err, &got) && got == s
}
