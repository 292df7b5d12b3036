package main

import (
	"net/http"
	"os"

	"github.com/msalext/msalext/examples/webapp/cloud"
	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// provider is who signs people in.
type provider struct {
	about   string // for the log
	pretend bool
	close   func()
}

// provider completes the configuration for a real tenant, for the pretend cloud
// of another process, or for one of this process's own.
func (s *settings) provider() (*provider, error) {
	switch {
	case s.realTenant:
		return &provider{about: "at " + s.web.Authority, close: func() {}}, nil
	case os.Getenv(msaltest.EnvAuthority) != "":
		remote, err := cloud.FromEnv()
		if err != nil {
			return nil, err
		}
		return &provider{about: "at another's pretend Entra ID", pretend: true, close: func() {}},
			s.pretend(remote.Authority, remote.GraphURL, remote.Client)
	}
	c, err := cloud.Start(nil)
	if err != nil {
		return nil, err
	}
	return &provider{about: "at a pretend Entra ID", pretend: true, close: c.Close}, s.pretend(c.Authority(), c.GraphURL(), c.Client())
}

func (s *settings) pretend(authority, graph string, client *http.Client) (err error) {
	s.web.ClientID = "webapp"
	s.web.Credential, err = msal.Secret("pretend")
	s.web.Authority, s.web.GraphURL, s.web.HTTPClient = authority, graph, client
	s.web.DisableInstanceDiscovery = true // Microsoft doesn't know it
	return err
}
