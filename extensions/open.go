package extensions

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/persist"
	"github.com/msalext/msalext/extensions/pluginhost"
)

// backgroundTimeout ends an opening that nobody's ctx bounds.
const backgroundTimeout = 30 * time.Second

// Open opens one backend by its name ("file", "libsecret", a custom one) at a
// location, without trying another. It doesn't probe and stores nothing.
//
// With Options.Envelope the store is encrypted, and called "file+envelope", say;
// "file+kernel-keyring" is what Options.FallbackToKernelKeyring adds.
//
// The location is a path; "~/" at its start is the home directory, and a
// relative one is made absolute at once. Backends that keep no file of their
// own at that path still keep the lock there.
//
// ErrInvalid: a wrong location, name, preset or setting. ErrPluginNotFound,
// ErrPluginRefused: see package pluginhost. Else the backend's own error.
func Open(ctx context.Context, backendName, location string, opts *Options) (*Persistence, error) {
	o, path, err := prepare(location, opts)
	if err != nil {
		return nil, err
	}
	return o.maybeLater(ctx, func(ctx context.Context) (*Persistence, error) {
		return o.open(ctx, o.named(backendName), location, path)
	})
}

func prepare(location string, opts *Options) (*Options, string, error) {
	if opts == nil {
		opts = &Options{}
	}
	if err := cmp.Or(opts.checkPreset(), opts.checkEnvelope()); err != nil {
		return opts, "", err
	}
	path, err := resolve(location)
	return opts, path, err
}

func (o *Options) maybeLater(ctx context.Context, open func(context.Context) (*Persistence, error)) (*Persistence, error) {
	if !o.Background {
		return open(ctx)
	}
	return persist.Later(func() (*Persistence, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), backgroundTimeout)
		defer cancel()
		return open(ctx)
	}), nil
}

func (o *Options) open(ctx context.Context, name, location, path string) (*Persistence, error) {
	inner, keys := o.bare(name)
	if strings.HasSuffix(inner, enveloped) {
		return nil, invalid("open", "the backend "+name+" needs the keys of its envelope", "set Options.Envelope")
	}
	b, origin, err := o.backend(ctx, inner)
	if err != nil {
		return nil, backend.Wrap("open", name, nil, err)
	}
	all, err := o.settings(inner)
	if err != nil {
		return nil, err
	}
	if err := o.reveal(b.Describe(), all); err != nil {
		return nil, err
	}
	settings, secrets, err := b.Describe().Split(all)
	if err != nil {
		return nil, err
	}
	c := backend.Config{Location: location, Path: path, Settings: settings, Secrets: secrets}
	store, err := b.Open(ctx, c)
	if err != nil { // without a kind of ours: only a store that says so counts as missing
		return nil, backend.Wrap("open", name, nil, err)
	}
	if keys != nil {
		origin = "this program, which hands it to " + origin
		if store, err = o.seal(ctx, name, path, store, keys); err != nil {
			return nil, err
		}
	}
	return persist.New(name, store, c, &persist.Options{
		ClaimedBy: origin, Trace: o.Trace, Logger: o.logger(), JavaLock: presets[o.Preset][name].javaLock,
	}), nil
}

// backend finds a backend by name, and where it comes from, for people.
func (o *Options) backend(ctx context.Context, name string) (backend.Backend, string, error) {
	for _, b := range o.InProcess {
		if b.Describe().Name == name {
			return b, fmt.Sprintf("the %s backend linked into this program", name), nil
		}
	}
	host := o.Host
	if host == nil {
		host = pluginhost.Default()
		if o.AllowEnv {
			host = environmentHost()
		}
	}
	start := time.Now()
	b, err := host.Backend(ctx, name)
	o.started(name, start, err)
	if err != nil {
		return nil, "", err
	}
	return b, pluginhost.Origin(b), nil
}

func (o *Options) started(name string, start time.Time, err error) {
	if o.Trace != nil && o.Trace.PluginStart != nil {
		o.Trace.PluginStart(persist.Event{Backend: name, Start: start, Took: time.Since(start), Err: err})
	}
}

// environmentHost is the process-wide host that looks at MSALEXT_PLUGIN_DIR
// too.
var environmentHost = sync.OnceValue(func() *pluginhost.Host {
	return pluginhost.New(&pluginhost.Options{AllowEnv: true})
})

func (o *Options) logger() *slog.Logger {
	if o.Logger != nil {
		return o.Logger
	}
	return slog.Default()
}
