package envelope

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/msalext/msalext/extensions/backend"
)

// A key set is how keys are kept in a key store's item and in a key file: one
// JSON object, the first key writes,
//
//	{"msalext-keys":1,"keys":[{"id":"0f3a…","secret":"<base64 of 32 bytes>"}]}
//
// A higher number is a newer format and is left alone; fields that a reader
// doesn't know are lost when it writes, so adding one takes a higher number.
const (
	keySetFormat = 1
	mostKeys     = 64
	// keySetSize is far more than so many keys need.
	keySetSize = 64 << 10
)

type keySet struct {
	Format int        `json:"msalext-keys"`
	Keys   []keyEntry `json:"keys"`
}

type keyEntry struct {
	ID     string `json:"id"`
	Secret string `json:"secret"`
}

func parseKeySet(data []byte) ([]Key, error) {
	var set keySet
	if len(data) > keySetSize || json.Unmarshal(data, &set) != nil { // whose error may quote what it found
		return nil, brokenSet("it isn't a key set")
	}
	if set.Format > keySetFormat {
		return nil, &backend.Error{Op: "read the keys", Kind: backend.ErrDecrypt, Err: errors.New("a newer version of msalext wrote them"),
			Hint: "update this program; the keys are left as they are"}
	}
	if set.Format != keySetFormat || len(set.Keys) == 0 || len(set.Keys) > mostKeys {
		return nil, brokenSet("it isn't a key set")
	}
	return set.decode()
}

func (set keySet) decode() ([]Key, error) {
	var keys []Key
	seen := map[string]bool{}
	for _, e := range set.Keys {
		k := Key{ID: e.ID}
		secret, err := base64.StdEncoding.DecodeString(e.Secret)
		if err != nil || len(secret) != len(k.Secret) {
			return nil, brokenSet("a secret in it isn't 32 bytes in base64")
		}
		copy(k.Secret[:], secret)
		clear(secret)
		if why := k.usable(); why != "" {
			return nil, brokenSet(why)
		}
		if seen[k.ID] {
			return nil, brokenSet(fmt.Sprintf("the key %s is in it twice", k.ID))
		}
		seen[k.ID] = true
		keys = append(keys, k)
	}
	return keys, nil
}

func brokenSet(why string) error {
	return &backend.Error{Op: "read the keys", Kind: backend.ErrCorrupt, Err: errors.New(why),
		Hint: "bring the keys back from a backup; nothing is encrypted or decrypted without them"}
}

func formatKeySet(keys []Key) ([]byte, error) {
	set := keySet{Format: keySetFormat}
	for _, k := range keys {
		if why := k.usable(); why != "" {
			return nil, &backend.Error{Op: "write the keys", Kind: backend.ErrInvalid, Err: errors.New(why)}
		}
		set.Keys = append(set.Keys, keyEntry{k.ID, base64.StdEncoding.EncodeToString(k.Secret[:])})
	}
	if len(keys) > mostKeys {
		return nil, &backend.Error{Op: "write the keys", Kind: backend.ErrTooLarge, Err: fmt.Errorf("%d keys, and %d are the most", len(keys), mostKeys),
			Hint: "rewrap what is stored, then retire old keys"}
	}
	data, err := json.Marshal(set)
	return append(data, '\n'), err
}
