package msal

import (
	"fmt"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

// Public is a client for programs that run where people use them and that can
// keep no secret (RFC 6749 §2.1). It stands for MSAL Python's
// PublicClientApplication, and has no parameter for a credential. It is safe for
// concurrent use.
type Public struct {
	application

	msal public.Client
	// fresh sees no access token in the cache.
	fresh func() (public.Client, error)
}

// NewPublic makes a client for an application, given by its client id. It sends
// nothing. Nil options are all defaults. The errors are [ErrOptions], and those
// of MSAL for an authority that it can't use.
//
// The client refreshes tokens that another process refreshes at the same time
// ([HTTPClient]), goes on with device code flows ([DeviceNetwork]), sends again
// what a busy server refused ([Retry]), and remembers where endpoints are
// ([SharedDiscovery]).
func NewPublic(clientID string, o *Options) (*Public, error) {
	full, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := full.forPublic(); err != nil {
		return nil, err
	}
	p := &Public{}
	if err := p.application.init(clientID, full); err != nil {
		return nil, err
	}
	if p.msal, err = p.newMSAL(p.accessor); err != nil {
		return nil, err
	}
	p.fresh = onceMade(p.newMSAL, p.accessor)
	return p, nil
}

// newMSAL makes another of MSAL's clients with the same options but for the
// cache.
func (p *Public) newMSAL(c cache.ExportReplace) (public.Client, error) {
	client, err := public.New(p.clientID, public.WithAuthority(p.options.Authority), public.WithCache(c),
		public.WithHTTPClient(p.network), public.WithInstanceDiscovery(!p.options.DisableInstanceDiscovery),
		public.WithClientCapabilities(p.options.Capabilities))
	if err != nil {
		return client, fmt.Errorf("msalext: making a client: %w", err)
	}
	return client, nil
}

// MSAL returns the client of MSAL's that does the protocol. It shares cache and
// network with p, and what either does the other one sees. Its errors are
// MSAL's own, and can hold secrets (see [FromMSAL]).
func (p *Public) MSAL() public.Client { return p.msal }
