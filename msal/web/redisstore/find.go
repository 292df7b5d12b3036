package redisstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/msalext/msalext/extensions/backend"
)

// Find lists the sessions with an e-mail address, which is compared without
// regard to letter case. It otherwise does what All does.
//
// An organization can write what it likes into the addresses of its people, so
// where a web app lets several tenants in, the sessions may be of several people:
// see Account of web.Record. Sessions that can't be decoded (ErrUnreadable) aren't
// found, whosever they are.
func (s *Sessions) Find(ctx context.Context, email string) iter.Seq2[Session, error] {
	return s.where(ctx, func(found *Session) bool { return email != "" && strings.EqualFold(found.Record.Email, email) })
}

// FindAccount lists the sessions of a person: the home account id that
// web.Record has as Account, which nobody else can have. It otherwise does what
// Find does.
func (s *Sessions) FindAccount(ctx context.Context, account string) iter.Seq2[Session, error] {
	return s.where(ctx, func(found *Session) bool { return account != "" && found.Record.Account == account })
}

func (s *Sessions) where(ctx context.Context, is func(*Session) bool) iter.Seq2[Session, error] {
	return filter(s.All(ctx), func(found *Session) (bool, error) { return found.Err == nil && is(found), nil })
}

// Invalid lists the sessions that are of no use to anybody, with Err set: those
// with a record that the web app can't read either, and, where Tokens is set,
// those whose tokens are gone, so that the person would have to sign in again.
// Those that only this process may fail to decode aren't among them; see
// Unreadable.
func (s *Sessions) Invalid(ctx context.Context) iter.Seq2[Session, error] {
	return filter(s.All(ctx), func(found *Session) (bool, error) {
		if found.Err != nil || s.Tokens == nil {
			return errors.Is(found.Err, ErrUnusable), nil
		}
		_, err := s.Tokens.Key(found.Record.TokenKey).Load(ctx)
		if errors.Is(err, backend.ErrNotFound) {
			found.Err, err = fmt.Errorf("%w: its tokens are gone", ErrUnusable), nil
		}
		return found.Err != nil, err
	})
}

// Unreadable lists the sessions that this process can't decode, whose Err is
// [ErrUnreadable]. People may be signed in to them, and visitors may have them.
func (s *Sessions) Unreadable(ctx context.Context) iter.Seq2[Session, error] {
	return filter(s.All(ctx), func(found *Session) (bool, error) { return errors.Is(found.Err, ErrUnreadable), nil })
}

// filter yields what is wanted, and ends with the first error.
func filter(all iter.Seq2[Session, error], wanted func(*Session) (bool, error)) iter.Seq2[Session, error] {
	return func(yield func(Session, error) bool) {
		for found, err := range all {
			ok := false
			if err == nil {
				ok, err = wanted(&found)
			}
			if err != nil {
				yield(Session{}, err)
				return
			}
			if ok && !yield(found, nil) {
				return
			}
		}
	}
}
