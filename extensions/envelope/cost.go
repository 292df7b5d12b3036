package envelope

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/msalext/msalext/extensions/backend"
)

// Cost is what it costs to try a passphrase, with Argon2id (RFC 9106).
type Cost struct {
	Memory  uint32 // KiB, at least 8 per thread and at most 1 GiB; 0: 64 MiB
	Passes  uint32 // 1 to 10; 0: 3
	Threads uint8  // 1 to 16; 0: 4
}

// The defaults are RFC 9106's second recommendation, for machines where 2 GiB
// for a moment are too much. The bounds hold for what is stored too, before any
// of it is used: whoever can write the store must not choose how much memory
// and time a reader needs.
const (
	usualMemory, mostMemory   = 64 << 10, 1 << 20
	usualPasses, mostPasses   = 3, 10
	usualThreads, mostThreads = 4, 16
	memoryPerThread           = 8
)

func (c Cost) withDefaults() Cost {
	if c.Memory == 0 {
		c.Memory = usualMemory
	}
	if c.Passes == 0 {
		c.Passes = usualPasses
	}
	if c.Threads == 0 {
		c.Threads = usualThreads
	}
	return c
}

func (c Cost) bounded() bool {
	return c.Threads >= 1 && c.Threads <= mostThreads && c.Passes >= 1 && c.Passes <= mostPasses &&
		c.Memory >= memoryPerThread*uint32(c.Threads) && c.Memory <= mostMemory
}

// covers tells whether trying costs as much as with d at least.
func (c Cost) covers(d Cost) bool {
	return c.Memory >= d.Memory && uint64(c.Memory)*uint64(c.Passes) >= uint64(d.Memory)*uint64(d.Passes)
}

// recipe is how a key is derived from a passphrase. It is stored as the key's
// ID, so it lies where it is needed, with the ciphertext:
//
//	argon2id:65536:3:4:<salt>:<check>
//
// memory in KiB, passes, threads, 16 bytes of salt and 8 of check in base64url.
// The check tells a wrong passphrase from damage. It helps nobody to guess, since
// the ciphertext does that as well.
type recipe struct {
	cost  Cost
	salt  [16]byte
	check [8]byte
}

const recipeKind = "argon2id"

func (r recipe) id() string {
	text := base64.RawURLEncoding.EncodeToString
	return fmt.Sprintf("%s:%d:%d:%d:%s:%s", recipeKind, r.cost.Memory, r.cost.Passes, r.cost.Threads, text(r.salt[:]), text(r.check[:]))
}

// parseRecipe reads an ID. ErrNotFound: it is none of a passphrase's.
// ErrDecrypt: it is out of bounds, or wasn't written like this.
func parseRecipe(id string) (r recipe, err error) {
	parts := strings.Split(id, ":")
	if parts[0] != recipeKind {
		return r, &backend.Error{Op: "derive the key", Kind: backend.ErrNotFound, Err: errors.New("it isn't one of a passphrase")}
	}
	if len(parts) != 6 {
		return r, badRecipe()
	}
	memory, merr := strconv.ParseUint(parts[1], 10, 32)
	passes, perr := strconv.ParseUint(parts[2], 10, 32)
	threads, terr := strconv.ParseUint(parts[3], 10, 8)
	if errors.Join(merr, perr, terr) != nil {
		return r, badRecipe()
	}
	r.cost = Cost{uint32(memory), uint32(passes), uint8(threads)}
	if !fill(r.salt[:], parts[4]) || !fill(r.check[:], parts[5]) || !r.cost.bounded() || r.id() != id {
		return recipe{}, badRecipe()
	}
	return r, nil
}

func fill(to []byte, text string) bool {
	data, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil && copy(to, data) == len(to) && len(data) == len(to)
}

func badRecipe() error {
	return &backend.Error{Op: "derive the key", Kind: backend.ErrDecrypt,
		Err:  fmt.Errorf("the stored parameters of Argon2id are damaged or out of bounds (%d KiB, %d passes, %d threads)", mostMemory, mostPasses, mostThreads),
		Hint: "see who else can write the store; " + hintAside}
}
