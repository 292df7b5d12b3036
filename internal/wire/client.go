package wire

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/msalext/msalext/extensions/backend"
	pb "github.com/msalext/msalext/internal/wire/persistencepb"
	"google.golang.org/grpc"
)

// Options of a [Client]; the zero value is usable.
type Options struct {
	// Name is what the backend must call itself; "" takes any name.
	Name string
	// Environment returns the values of those among names, which the backend
	// wishes for, that the application allows and that exist. Others that it
	// returns are dropped. Nil: none. It runs at each Open.
	Environment func(names []string) map[string]string
}

// A Client is the backend at the other end of a connection. It is safe for
// concurrent use.
//
// Its stores have all optional powers, and announce those that the served
// store announced. A call ends with its context or with the connection; no
// deadline is added, but to Close.
type Client struct {
	rpc         pb.PersistenceClient
	description backend.Description
	environment func(names []string) map[string]string
}

var _ backend.Backend = (*Client)(nil)

// NewClient asks for the backend's description and returns the backend. It
// doesn't own conn. The error is ErrPluginRefused when the backend has another
// name than o.Name, and ErrUnavailable when it doesn't answer as the protocol
// says; ctx bounds the call only.
func NewClient(ctx context.Context, conn grpc.ClientConnInterface, o Options) (*Client, error) {
	c := &Client{rpc: pb.NewPersistenceClient(conn), environment: o.Environment}
	at := origin{op: "describe", backend: o.Name}
	resp, err := c.rpc.Describe(ctx, &pb.DescribeRequest{}, plainCall()...)
	if err != nil {
		return nil, at.decode(ctx, err)
	}
	if c.description, err = at.description(resp); err != nil {
		return nil, err
	}
	if o.Name != "" && c.description.Name != o.Name {
		return nil, &backend.Error{
			Op: at.op, Backend: o.Name, Kind: backend.ErrPluginRefused,
			Err:  fmt.Errorf("the plugin says that it is %q", c.description.Name),
			Hint: "install each plugin under its own name",
		}
	}
	return c, nil
}

// Describe returns what the backend said when the client was made, with its
// texts made printable.
func (c *Client) Describe() backend.Description { return c.description }

// Open opens a store, as [backend.Backend] says. Settings that aren't UTF-8
// are ErrInvalid.
func (c *Client) Open(ctx context.Context, cfg backend.Config) (backend.Store, error) {
	at := origin{op: "open", backend: c.description.Name}
	at.scrub = at.scrub.with(cfg.Secrets)
	req, err := c.request(at, cfg)
	if err != nil {
		return nil, err
	}
	resp, err := c.rpc.Open(ctx, req, plainCall()...)
	if err != nil {
		return nil, at.decode(ctx, err)
	}
	return newStore(c, at.scrub, resp), nil
}

func (c *Client) request(at origin, cfg backend.Config) (*pb.OpenRequest, error) {
	req := &pb.OpenRequest{
		Location: []byte(cfg.Location), Path: []byte(cfg.Path),
		Settings: cfg.Settings, Secrets: map[string][]byte{}, Environment: c.allowed(),
	}
	for name, value := range cfg.Secrets {
		req.Secrets[name] = value
		if !utf8.ValidString(name) {
			return nil, at.fail(backend.ErrInvalid, "the setting %q isn't UTF-8", name)
		}
	}
	for what, set := range map[string]map[string]string{"setting": req.Settings, "environment variable": req.Environment} {
		for name, value := range set {
			if !utf8.ValidString(name) || !utf8.ValidString(value) {
				return nil, at.fail(backend.ErrInvalid, "the %s %q isn't UTF-8", what, name)
			}
		}
	}
	return req, nil
}

// allowed returns the variables that the backend wishes for and gets.
func (c *Client) allowed() map[string]string {
	wanted := c.description.Env
	if c.environment == nil || len(wanted) == 0 {
		return nil
	}
	given, env := c.environment(append([]string(nil), wanted...)), map[string]string{}
	for _, name := range wanted {
		if value, ok := given[name]; ok {
			env[name] = value
		}
	}
	return env
}
