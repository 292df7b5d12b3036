package libsecret

import (
	"context"
	"errors"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/msalext/msalext/extensions/backend"
)

// promptPatience is how long a person may take.
const promptPatience = 2 * time.Minute

// Unlock asks for the keyring's password where it is locked, and for a new
// one where there is no default keyring; then for what the service wants to
// know before it hands out this cache's items. ErrDenied: the person dismissed
// a prompt. ErrTimeout: nobody answered one within two minutes.
func (s *store) Unlock(ctx context.Context) error {
	err := s.asks(ctx, func(ctx context.Context, service *service) (dbus.ObjectPath, error) {
		return service.unlock(ctx, s.place.collection)
	})
	if err == nil {
		err = s.do(ctx, s.unlocked)
	}
	if err == nil {
		err = s.unlockItems(ctx)
	}
	return fail("unlock", err)
}

// asks shows the prompt that begin comes to, if any, and waits for the answer.
func (s *store) asks(ctx context.Context, begin func(context.Context, *service) (dbus.ObjectPath, error)) error {
	asking, prompt := (*service)(nil), none
	err := s.do(ctx, func(ctx context.Context, service *service) (err error) {
		asking = service
		prompt, err = begin(ctx, service)
		return err
	})
	if err != nil || prompt == none {
		return err
	}
	return s.explain(ctx, asking.ask(ctx, prompt, s.limits.prompt))
}

// unlocked looks at the keyring itself: services answer a prompt that was
// closed in several ways.
func (s *store) unlocked(ctx context.Context, service *service) error {
	path, err := service.collection(ctx, s.place.collection)
	if err != nil {
		return err
	}
	locked, err := service.locked(ctx, path)
	if err == nil && locked {
		err = errDismissed
	}
	return err
}

// unlockItems is for items that are locked in an open keyring: KeePassXC asks
// which programs may have which, and others lie in another keyring.
func (s *store) unlockItems(ctx context.Context) error {
	left, err := s.lockedItems(ctx)
	if err != nil || len(left) == 0 {
		return err
	}
	err = s.asks(ctx, func(ctx context.Context, service *service) (dbus.ObjectPath, error) {
		return service.unlockObjects(ctx, left)
	})
	if err != nil {
		return err
	}
	if left, err = s.lockedItems(ctx); err == nil && len(left) > 0 {
		err = errDismissed
	}
	return err
}

func (s *store) lockedItems(ctx context.Context) (all []dbus.ObjectPath, err error) {
	err = s.do(ctx, func(ctx context.Context, service *service) error {
		all = nil
		for _, sought := range []map[string]string{s.place.sought(""), s.place.further()} {
			_, locked, err := service.search(ctx, s.place, sought)
			if err != nil {
				return err
			}
			all = append(all, locked...)
		}
		return nil
	})
	return all, err
}

// unlock returns the prompt that the service wants to show; none where it needs
// to ask nothing.
func (s *service) unlock(ctx context.Context, wanted string) (dbus.ObjectPath, error) {
	prompt := none
	collection, err := s.collection(ctx, wanted)
	switch {
	case err == nil:
		prompt, err = s.unlockObjects(ctx, []dbus.ObjectPath{collection})
	case errors.Is(err, errNoKeyring) && wanted == "default":
		// libsecret makes that keyring at a first write, under this name.
		label := map[string]dbus.Variant{collectionInterface + "Label": dbus.MakeVariant("Default keyring")}
		err = take(s.call(ctx, servicePath, serviceInterface+"CreateCollection", label, wanted), "oo", &collection, &prompt)
	}
	return prompt, err
}

func (s *service) unlockObjects(ctx context.Context, all []dbus.ObjectPath) (prompt dbus.ObjectPath, err error) {
	var unlocked []dbus.ObjectPath
	err = take(s.call(ctx, servicePath, serviceInterface+"Unlock", all), "aoo", &unlocked, &prompt)
	return prompt, err
}

var errDismissed = &backend.Error{
	Kind: backend.ErrDenied, Err: errors.New("the prompt for the keyring's password was dismissed"),
	Hint: "call Unlock again and enter the password",
}

// ask shows a prompt and waits that long for the answer.
func (s *service) ask(ctx context.Context, prompt dbus.ObjectPath, patience time.Duration) error {
	signals := make(chan *dbus.Signal, 8)
	s.bus.Signal(signals)
	defer s.bus.RemoveSignal(signals)
	for _, match := range s.matches(prompt) {
		if err := s.subscribe(ctx, "AddMatch", match); err != nil {
			return err
		}
		// The connection goes on, and would be sent these for ever.
		defer func() { _ = s.subscribe(context.WithoutCancel(ctx), "RemoveMatch", match) }()
	}
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := s.show(within, prompt)
	if err == nil {
		err = s.answer(within, prompt, signals)
	}
	if late(err) || within.Err() != nil { // it may show, also where the service didn't say so
		s.withdraw(prompt)
	}
	return err
}

const completed, ownerChanged = promptInterface + "Completed", busInterface + ".NameOwnerChanged"

// matches are the signals that end the wait: an answer, and the service's end.
func (s *service) matches(prompt dbus.ObjectPath) []string {
	return []string{
		"type='signal',sender='" + s.owner + "',path='" + string(prompt) + "',interface='org.freedesktop.Secret.Prompt',member='Completed'",
		"type='signal',sender='" + busInterface + "',member='NameOwnerChanged',arg0='" + s.owner + "'",
	}
}

func (s *service) subscribe(ctx context.Context, method, match string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return s.bus.daemon(ctx, method, match).Err
}

func (s *service) show(ctx context.Context, prompt dbus.ObjectPath) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return s.call(ctx, prompt, promptInterface+"Prompt", "").Err
}

func (s *service) answer(ctx context.Context, prompt dbus.ObjectPath, signals <-chan *dbus.Signal) error {
	for {
		select {
		case signal, ok := <-signals:
			if !ok {
				return dbus.ErrClosed
			}
			if signal.Sender == busInterface && signal.Name == ownerChanged && len(signal.Body) == 3 && signal.Body[0] == s.owner {
				return errGone
			}
			if signal.Sender != s.owner || signal.Path != prompt || signal.Name != completed {
				continue // any program can send a signal
			}
			if len(signal.Body) > 0 && signal.Body[0] == true {
				return errDismissed
			}
			return nil
		case <-s.bus.Context().Done():
			return dbus.ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// withdraw takes a prompt off the screen that nobody waits for, also when the
// caller's context has ended.
func (s *service) withdraw(prompt dbus.ObjectPath) {
	s.bus.tell(s.owner, prompt, promptInterface+"Dismiss")
}
