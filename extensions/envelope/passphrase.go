package envelope

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/crypto/argon2"

	"github.com/msalext/msalext/extensions/backend"
)

// FromPassphrase derives the keys from a passphrase, which it copies and keeps in
// memory. nil cost is the usual one. The salt is random; it and the cost are stored with what is
// encrypted, so the passphrase alone opens it on any machine.
//
// Deriving takes about a tenth of a second, once for each salt: keys are kept
// in memory, and a program writes with the salt that it finds in use.
// [Store.Ready] derives ahead, outside of any lock. A derivation that outlives
// the call that asked for it goes on, and the next call finds the result.
//
// A wrong passphrase is ErrDecrypt. Nothing tells a forgotten one.
func FromPassphrase(passphrase backend.Secret, cost *Cost) *Passphrase {
	p := &Passphrase{phrase: bytes.Clone(passphrase), derived: map[recipe]*derivation{}, turn: make(chan struct{}, 1)}
	if cost != nil {
		p.cost = *cost
	}
	p.cost = p.cost.withDefaults()
	return p
}

// A Passphrase is Keys that are derived from one.
type Passphrase struct {
	opaque
	phrase []byte
	cost   Cost
	turn   chan struct{} // one derivation at a time: each takes the memory that Cost says

	mu      sync.Mutex
	derived map[recipe]*derivation // by recipes without check
	recent  []recipe               // of derived, the oldest first
	own     *recipe                // what new data is encrypted with; nil: not chosen
}

var (
	_ Keys   = (*Passphrase)(nil)
	_ Finder = (*Passphrase)(nil)
)

// derivation is one that runs or is done.
type derivation struct {
	done   chan struct{}
	secret Secret
}

// mostDerived bounds the keys in memory: whoever can write the store could make
// up any number of salts.
const mostDerived = 64

// Keys returns the key for new data: with the salt in use, if a Load met one
// that costs enough, else with a new one. ErrInvalid: the passphrase is empty or
// the cost out of bounds.
func (p *Passphrase) Keys(ctx context.Context) (Key, []Key, error) {
	r := p.chosen()
	secret, err := p.derive(ctx, r)
	if err != nil {
		return Key{}, nil, err
	}
	r.check = checkOf(secret)
	return Key{r.id(), secret}, nil, nil
}

// Find derives the key that an ID is a recipe of. ErrDecrypt: it is another
// passphrase's, or the recipe is out of bounds.
func (p *Passphrase) Find(ctx context.Context, id string) (Key, error) {
	r, err := parseRecipe(id)
	if err != nil {
		return Key{}, err
	}
	plain := r
	plain.check = [8]byte{}
	secret, err := p.derive(ctx, plain)
	if err != nil {
		return Key{}, err
	}
	if check := checkOf(secret); subtle.ConstantTimeCompare(check[:], r.check[:]) == 0 {
		return Key{}, &backend.Error{Op: "derive the key", Kind: backend.ErrDecrypt, Err: errors.New("the passphrase is another, or what is stored was changed"),
			Hint: "ask for the passphrase again; " + hintAside}
	}
	return Key{id, secret}, nil
}

// checkOf is a hash of a key that says nothing of it.
func checkOf(secret Secret) (check [8]byte) {
	if sum, err := hkdf.Key(sha256.New, secret[:], nil, "msalext envelope passphrase check", len(check)); err == nil {
		copy(check[:], sum)
	}
	return check
}

func (p *Passphrase) chosen() recipe {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.own == nil {
		p.own = &recipe{cost: p.cost}
		_, _ = rand.Read(p.own.salt[:]) // never fails: https://pkg.go.dev/crypto/rand#Read
	}
	return *p.own
}

// adopt writes from now on with a key that opened something, unless a salt was
// chosen already. What was opened is authentic, so nobody can make a program
// write with a recipe that costs less than the application wants.
func (p *Passphrase) adopt(k Key) {
	r, err := parseRecipe(k.ID)
	if err != nil || !r.cost.covers(p.cost) {
		return
	}
	r.check = [8]byte{}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.derived[r]; known && p.own == nil {
		p.own = &r
	}
}

// derive waits for a key, and leaves the derivation running when ctx ends:
// Argon2id can't be interrupted, and what it made is of use to the next call.
func (p *Passphrase) derive(ctx context.Context, r recipe) (Secret, error) {
	if len(p.phrase) == 0 {
		return Secret{}, invalidPassphrase("the passphrase is empty", "ask for one")
	}
	if !r.cost.bounded() {
		return Secret{}, invalidPassphrase(fmt.Sprintf("a cost of %d KiB, %d passes and %d threads is out of bounds", r.cost.Memory, r.cost.Passes, r.cost.Threads),
			fmt.Sprintf("at most %d KiB, %d passes, %d threads, and %d KiB for each thread", mostMemory, mostPasses, mostThreads, memoryPerThread))
	}
	d := p.started(r)
	select {
	case <-d.done:
		return d.secret, nil
	default:
	}
	select {
	case <-d.done:
		return d.secret, nil
	case <-ctx.Done():
		return Secret{}, &backend.Error{Op: "derive the key", Err: fmt.Errorf("it takes longer: %w", context.Cause(ctx))}
	}
}

func invalidPassphrase(why, hint string) error {
	return &backend.Error{Op: "derive the key", Kind: backend.ErrInvalid, Err: errors.New(why), Hint: hint}
}

func (p *Passphrase) started(r recipe) *derivation {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d := p.derived[r]; d != nil {
		return d
	}
	if len(p.recent) >= mostDerived {
		delete(p.derived, p.recent[0])
		p.recent = p.recent[1:]
	}
	d := &derivation{done: make(chan struct{})}
	p.derived[r] = d
	p.recent = append(p.recent, r)
	go p.run(r, d)
	return d
}

func (p *Passphrase) run(r recipe, d *derivation) {
	p.turn <- struct{}{}
	defer func() { <-p.turn }()
	defer close(d.done)
	key := argon2.IDKey(p.phrase, r.salt[:], r.cost.Passes, r.cost.Memory, r.cost.Threads, uint32(len(d.secret)))
	copy(d.secret[:], key)
	clear(key)
}

// Source is "a passphrase".
func (*Passphrase) Source() string { return "a passphrase" }
