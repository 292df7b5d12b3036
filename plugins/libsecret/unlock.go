package libsecret

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/msalext/msalext/extensions/backend"
)

// promptPatience is how long a person may take.
const promptPatience = 2 * time.Minute

// Unlock asks for the keyring's password where it is locked, and for a new
// one where there is no default keyring. ErrDenied: the person dismissed the
// prompt. ErrTimeout: nobody answered within two minutes.
func (s *store) Unlock(ctx context.Context) error {
	var open *service
	path := none
	err := s.do(ctx, func(ctx context.Context, service *service) (err error) {
		open = service
		path, err = service.collection(ctx, s.place.collection)
		if errors.Is(err, backend.ErrUnavailable) && s.place.collection == "default" {
			return nil
		}
		return err
	})
	if err == nil {
		within, cancel := context.WithTimeout(ctx, promptPatience)
		defer cancel()
		err = explain(ctx, open.unlock(within, path))
	}
	return fail("unlock", err)
}

func (s *service) unlock(ctx context.Context, collection dbus.ObjectPath) error {
	if collection == none {
		return s.createDefault(ctx)
	}
	var unlocked []dbus.ObjectPath
	var prompt dbus.ObjectPath
	err := s.call(ctx, servicePath, serviceInterface+"Unlock", []dbus.ObjectPath{collection}).Store(&unlocked, &prompt)
	if err != nil || prompt == none {
		return err
	}
	result, err := s.prompt(ctx, prompt)
	if err != nil {
		return err
	}
	if paths, _ := result.Value().([]dbus.ObjectPath); !slices.Contains(paths, collection) {
		return errDismissed
	}
	return nil
}

// createDefault makes the keyring that libsecret makes at a first write.
func (s *service) createDefault(ctx context.Context) error {
	label := map[string]dbus.Variant{collectionInterface + "Label": dbus.MakeVariant("Default keyring")}
	var created, prompt dbus.ObjectPath
	err := s.call(ctx, servicePath, serviceInterface+"CreateCollection", label, "default").Store(&created, &prompt)
	if err != nil || prompt == none {
		return err
	}
	_, err = s.prompt(ctx, prompt)
	return err
}

var errDismissed = &backend.Error{
	Kind: backend.ErrDenied, Err: errors.New("the prompt for the keyring's password was dismissed"),
	Hint: "call Unlock again and enter the password",
}

// prompt shows what the service wants to ask, and waits for the answer.
func (s *service) prompt(ctx context.Context, path dbus.ObjectPath) (dbus.Variant, error) {
	completed := []dbus.MatchOption{
		dbus.WithMatchObjectPath(path), dbus.WithMatchInterface("org.freedesktop.Secret.Prompt"), dbus.WithMatchMember("Completed"),
	}
	if err := s.conn.AddMatchSignalContext(ctx, completed...); err != nil {
		return dbus.Variant{}, err
	}
	signals := make(chan *dbus.Signal, 8)
	s.conn.Signal(signals)
	defer func() {
		s.conn.RemoveSignal(signals)
		_ = s.conn.RemoveMatchSignalContext(ctx, completed...)
	}()
	if err := s.call(ctx, path, promptInterface+"Prompt", "").Err; err != nil {
		return dbus.Variant{}, err
	}
	return s.answer(ctx, path, signals)
}

func (s *service) answer(ctx context.Context, path dbus.ObjectPath, signals <-chan *dbus.Signal) (dbus.Variant, error) {
	for {
		select {
		case signal, ok := <-signals:
			if !ok {
				return dbus.Variant{}, dbus.ErrClosed
			}
			var dismissed bool
			var result dbus.Variant
			if signal.Path != path || signal.Name != promptInterface+"Completed" || dbus.Store(signal.Body, &dismissed, &result) != nil {
				continue
			}
			if dismissed {
				return dbus.Variant{}, errDismissed
			}
			return result, nil
		case <-ctx.Done():
			s.withdraw(path)
			return dbus.Variant{}, ctx.Err()
		}
	}
}

// withdraw takes the prompt off the screen when nobody waits for it any more.
func (s *service) withdraw(prompt dbus.ObjectPath) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = s.call(ctx, prompt, promptInterface+"Dismiss").Err
}
