package web

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
)

// flowKeyItem is the item that the key lies in which seals flows. All processes
// that have the same tokens have it.
const flowKeyItem = "web/flow-key"

const (
	flowKeySize = 32
	// flowKeyLife is how long a process goes on with a key that an administrator
	// may have deleted.
	flowKeyLife = time.Minute
)

// flowKeys has the key in memory.
type flowKeys struct {
	item *persist.Persistence

	mu   sync.Mutex
	aead cipher.AEAD
	at   time.Time
}

// current returns the key, which is made by who needs it first. With anew it is
// read again, unless that was done a moment ago.
func (k *flowKeys) current(ctx context.Context, anew bool) (cipher.AEAD, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if age := time.Since(k.at); k.aead != nil && age < flowKeyLife && (!anew || age < time.Second) {
		return k.aead, nil
	}
	key, err := k.load(ctx)
	if err != nil {
		return nil, fmt.Errorf("msalext: load the key that seals sign-ins: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	if k.aead, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		return nil, err
	}
	k.at = time.Now()
	return k.aead, nil
}

// load reads the key, or makes it.
func (k *flowKeys) load(ctx context.Context) ([]byte, error) {
	data, err := k.item.Load(ctx)
	if errors.Is(err, backend.ErrNotFound) {
		err = k.item.Update(ctx, func(old []byte) ([]byte, error) {
			if data = old; old == nil {
				key := make([]byte, flowKeySize)
				rand.Read(key) // never fails, since Go 1.24
				data, _ = json.Marshal(storedFlowKey{key})
			}
			return slices.Clone(data), nil
		})
	}
	if err != nil {
		return nil, err
	}
	var stored storedFlowKey
	if json.Unmarshal(data, &stored) != nil || len(stored.Key) != flowKeySize {
		return nil, fmt.Errorf("what is stored isn't one; delete the item %s: %w", flowKeyItem, backend.ErrCorrupt)
	}
	return stored.Key, nil
}

// storedFlowKey is an object, as token caches are, so that tools that take every
// item for one aren't taken aback.
type storedFlowKey struct {
	Key []byte `json:"flow_key"`
}
