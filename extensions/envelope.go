package extensions

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/envelope"
	"github.com/msalext/msalext/internal/record"
)

// What is stored in an envelope is of no use to a program that opens the bare
// backend. So an enveloped backend has a name of its own, in the record beside
// the cache, in errors and in Persistence.Backend: that of the backend with this
// behind it.
const enveloped = "+envelope"

// kernelSealed is the backend "file" in an envelope whose key is in the Linux
// kernel keyring.
const kernelSealed = plaintext + "+kernel-keyring"

// named is how a backend that the application names is called with o.
func (o *Options) named(name string) string {
	if o.Envelope == nil || strings.HasSuffix(name, enveloped) {
		return name
	}
	return name + enveloped
}

// bare is the name of the backend inside an envelope, and where its keys are;
// without an envelope nil.
func (o *Options) bare(name string) (string, envelope.Keys) {
	if name == kernelSealed {
		return plaintext, envelope.KernelKeyring(o.EnvelopeID)
	}
	if inner, ok := strings.CutSuffix(name, enveloped); ok && o.Envelope != nil {
		return inner, o.Envelope
	}
	return name, nil
}

// checkEnvelope refuses what contradicts itself, on every system alike.
func (o *Options) checkEnvelope() error {
	why, hint := "", ""
	switch {
	case o.Envelope != nil && o.FallbackToKernelKeyring:
		why, hint = "FallbackToKernelKeyring has no use where Envelope encrypts", "set one of the two"
	case o.Envelope != nil && slices.Contains(o.Candidates, kernelSealed):
		why, hint = kernelSealed+" is encrypted already", "take it out of Candidates, or set no Envelope"
	case o.Preset != "" && (o.Envelope != nil || o.FallbackToKernelKeyring):
		why, hint = "the applications of the preset "+o.Preset+" can't read what msalext encrypts", "set no Preset, or neither Envelope nor FallbackToKernelKeyring"
	default:
		return nil
	}
	return &backend.Error{Op: "open", Kind: backend.ErrInvalid, Err: errors.New(why), Hint: hint}
}

// seal puts a store into an envelope. The keys are fetched at once, so that what
// is wrong with them shows before anything is stored.
//
// A source of keys that the application chose and that isn't there must not lead
// to another backend. The kernel's keyring is part of its candidate: where it is
// missing, so is the candidate.
func (o *Options) seal(ctx context.Context, name, path string, s backend.Store, keys envelope.Keys) (backend.Store, error) {
	e := envelope.Wrap(s, keys, &envelope.Options{Name: name, StoreID: o.EnvelopeID, Logger: o.logger()})
	if err := plainAt(ctx, name, path, s); err != nil {
		return nil, &faulty{errors.Join(err, e.Close())}
	}
	err := e.Ready(ctx)
	if err == nil {
		return e, nil
	}
	if err = errors.Join(err, e.Close()); name == kernelSealed {
		return nil, err
	}
	return nil, &faulty{err}
}

// plainAt refuses a location where a cache lies in clear and nothing is recorded,
// before a first save would record the envelope: then the cache could neither be
// read nor opened without an envelope. What else is wrong with it the first Load
// says.
func plainAt(ctx context.Context, name, path string, s backend.Store) error {
	if was, err := record.Read(path); err != nil || was != (record.Record{}) {
		return nil // who checks that says it better
	}
	blob, err := s.Load(ctx, "", backend.None)
	if err != nil || envelope.Sealed(blob.Data) {
		return nil
	}
	return &backend.Error{Op: "open", Backend: name, Kind: backend.ErrDecrypt, Err: errors.New(path + " holds a cache that isn't encrypted by an envelope"),
		Hint: "bring it over with Migrate: open it without an envelope, and with one at another location"}
}
