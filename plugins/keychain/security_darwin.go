//go:build darwin && cgo

package keychain

/*
#cgo LDFLAGS: -framework Security
#cgo CFLAGS: -Wno-deprecated-declarations
#include <Security/Security.h>

// Plain integers only: how cgo sees Apple's reference types has changed before.
static int unlockDefault(void) { return SecKeychainUnlock(NULL, 0, NULL, FALSE); }
static int setAsking(int on) { return SecKeychainSetUserInteractionAllowed(on != 0); }
static int asks(int *on) {
	Boolean allowed = FALSE;
	OSStatus status = SecKeychainGetUserInteractionAllowed(&allowed);
	*on = allowed;
	return status;
}
*/
import "C"

import (
	"errors"
	"sync"

	"github.com/keybase/go-keychain"
)

var calls security = &framework{}

// framework calls Apple's. Whether dialogs may be shown is a property of the
// process, so calls come one at a time.
type framework struct{ mu sync.Mutex }

func (f *framework) read(i item, ask bool) (data []byte, st status) {
	st = f.asking(ask, func() error {
		query := sought(i)
		query.SetMatchLimit(keychain.MatchLimitOne)
		query.SetReturnData(true)
		found, err := keychain.QueryItem(query)
		if err == nil && len(found) == 0 { // how the library says errSecItemNotFound
			err = keychain.ErrorItemNotFound
		}
		if err == nil {
			data = found[0].Data
		}
		return err
	})
	return data, st
}

func (f *framework) add(i item, data []byte) status {
	return f.asking(false, func() error {
		added := sought(i)
		added.SetLabel(i.label)
		added.SetData(data)
		if a, ok := accessible[i.accessibility]; ok {
			added.SetAccessible(a)
		}
		return keychain.AddItem(added)
	})
}

func (f *framework) update(i item, data []byte) status {
	return f.asking(false, func() error {
		changed := keychain.NewItem()
		changed.SetData(data)
		return keychain.UpdateItem(sought(i), changed)
	})
}

func (f *framework) remove(i item) status {
	return f.asking(false, func() error { return keychain.DeleteItem(sought(i)) })
}

func (f *framework) accounts(i item) (accounts []string, st status) {
	st = f.asking(false, func() error {
		i.account = ""
		query := sought(i)
		query.SetMatchLimit(keychain.MatchLimitAll)
		query.SetReturnAttributes(true)
		found, err := keychain.QueryItem(query)
		for _, result := range found {
			accounts = append(accounts, result.Account)
		}
		return err
	})
	return accounts, st
}

func (f *framework) unlock() (st status) {
	answered := f.asking(true, func() error {
		st = status(C.unlockDefault())
		return nil
	})
	if answered != success {
		return answered
	}
	return st
}

// asking runs fn with dialogs allowed or not, and then as it was.
func (f *framework) asking(ask bool, fn func() error) status {
	f.mu.Lock()
	defer f.mu.Unlock()
	var before, now C.int
	if ask {
		now = 1
	}
	if st := C.asks(&before); st != 0 {
		return status(st)
	}
	if st := C.setAsking(now); st != 0 {
		return status(st)
	}
	defer C.setAsking(before)
	return statusOf(fn())
}

func statusOf(err error) status {
	var e keychain.Error
	switch {
	case err == nil:
		return success
	case errors.As(err, &e):
		return status(e)
	default: // the library could not make sense of the answer
		return undecodable
	}
}

// sought names the item and nothing else. An attribute more, such as whether it
// is synchronised, makes macOS look in the data protection keychain, which
// peers don't.
func sought(i item) keychain.Item {
	query := keychain.NewItem()
	query.SetSecClass(keychain.SecClassGenericPassword)
	query.SetService(i.service)
	query.SetAccount(i.account)
	query.SetAccessGroup(i.accessGroup)
	return query
}

var accessible = map[string]keychain.Accessible{
	"when-unlocked":                  keychain.AccessibleWhenUnlocked,
	"after-first-unlock":             keychain.AccessibleAfterFirstUnlock,
	"when-passcode-set-this-device":  keychain.AccessibleWhenPasscodeSetThisDeviceOnly,
	"when-unlocked-this-device":      keychain.AccessibleWhenUnlockedThisDeviceOnly,
	"after-first-unlock-this-device": keychain.AccessibleAfterFirstUnlockThisDeviceOnly,
}
