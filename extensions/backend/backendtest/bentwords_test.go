package backendtest

import (
	"context"
	"errors"
	"strconv"

	"github.com/msalext/msalext/extensions/backend"
)

// boaster announces a power without its method.
type boaster struct {
	backend.Store
	backend.Watcher
	backend.Unlocker
	backend.Expirer
	backend.Checker
}

// modest has the methods of powers that it doesn't announce.
type modest struct{ sound }

func (s modest) Info() backend.Info {
	info := s.sound.Info()
	info.Caps = backend.CanCAS | backend.CanUnlock
	return info
}

// talker puts the data into its errors.
type talker struct{ sound }

func (s talker) Save(ctx context.Context, key string, data []byte, base backend.Version) (backend.Version, error) {
	v, err := s.sound.Save(ctx, key, data, base)
	if errors.Is(err, backend.ErrConflict) {
		err = &backend.Error{Op: "save", Backend: "bent", Kind: backend.ErrConflict, Err: errors.New("can't put " + strconv.Quote(string(data)))}
	}
	return v, err
}

// tattler puts a secret setting into Info.
type tattler struct {
	sound
	secret string
}

func (s tattler) Info() backend.Info {
	info := s.sound.Info()
	info.Location = "https://user:" + s.secret + "@host"
	return info
}

// plain returns errors that say nothing.
type plain struct{ sound }

func (s plain) Load(ctx context.Context, key string, have backend.Version) (backend.Blob, error) {
	blob, err := s.sound.Load(ctx, key, have)
	if kind := backend.KindOf(err); kind != nil {
		err = kind
	}
	return blob, err
}
