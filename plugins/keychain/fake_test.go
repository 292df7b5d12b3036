package keychain

import (
	"bytes"
	"sync"
)

// fake is a keychain as Apple documents it: an empty account or access group
// in a search means any, a search finds the oldest match, and adding an item
// that is there answers duplicateItem.
type fake struct {
	mu    sync.Mutex
	items []stored

	locked  bool
	foreign map[string]bool // accounts of items that another program made
	answer  status          // what a person answers to a dialog
	dialogs int
	fails   map[string]status // by call

	beforeAdd func() // another process's turn
}

type stored struct {
	item
	data []byte
}

func (f *fake) find(i item) int {
	for n, s := range f.items {
		if s.service == i.service && (i.account == "" || s.account == i.account) && (i.accessGroup == "" || s.accessGroup == i.accessGroup) {
			return n
		}
	}
	return -1
}

// guarded answers for a call that needs the secret.
func (f *fake) guarded(call string, account string, ask bool) status {
	if st, ok := f.fails[call]; ok {
		return st
	}
	if !f.locked && !f.foreign[account] {
		return success
	}
	if !ask {
		return interactionNotAllowed
	}
	f.dialogs++
	if f.answer == success {
		f.locked, f.foreign[account] = false, false
	}
	return f.answer
}

func (f *fake) read(i item, ask bool) ([]byte, status) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.find(i)
	if n < 0 && !f.locked {
		return nil, itemNotFound
	}
	if st := f.guarded("read", i.account, ask); st != success {
		return nil, st
	}
	if n < 0 {
		return nil, itemNotFound
	}
	return bytes.Clone(f.items[n].data), success
}

func (f *fake) add(i item, data []byte) status {
	if f.beforeAdd != nil {
		f.beforeAdd()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if st := f.guarded("add", i.account, false); st != success {
		return st
	}
	if f.find(i) >= 0 {
		return duplicateItem
	}
	f.items = append(f.items, stored{i, bytes.Clone(data)})
	return success
}

func (f *fake) update(i item, data []byte) status {
	f.mu.Lock()
	defer f.mu.Unlock()
	if st := f.guarded("update", i.account, false); st != success {
		return st
	}
	n := f.find(i)
	if n < 0 {
		return itemNotFound
	}
	f.items[n].data = bytes.Clone(data)
	return success
}

func (f *fake) remove(i item) status {
	f.mu.Lock()
	defer f.mu.Unlock()
	if st := f.guarded("remove", i.account, false); st != success {
		return st
	}
	n := f.find(i)
	if n < 0 {
		return itemNotFound
	}
	f.items = append(f.items[:n], f.items[n+1:]...)
	return success
}

func (f *fake) accounts(i item) ([]string, status) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if st := f.guarded("accounts", "", false); st != success {
		return nil, st
	}
	var found []string
	for _, s := range f.items {
		if s.service == i.service {
			found = append(found, s.account)
		}
	}
	if found == nil {
		return nil, itemNotFound
	}
	return found, success
}

func (f *fake) unlock() status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.guarded("unlock", "", true)
}
