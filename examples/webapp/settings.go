package main

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/msalext/msalext/extensions"
	"github.com/msalext/msalext/msal/web"
)

// settings are what the environment says; see the package's documentation.
type settings struct {
	address    string
	dir        string
	plain      bool
	cert, key  string
	redis      string
	master     string
	replicas   int
	sharedKey  bool // there is one in WEBAPP_KEY
	realTenant bool
	web        web.Config
}

func readSettings() (*settings, error) {
	s := &settings{
		address:    cmp.Or(os.Getenv("WEBAPP_LISTEN"), "127.0.0.1:8443"),
		dir:        os.Getenv("WEBAPP_DATA"),
		plain:      os.Getenv("WEBAPP_TLS") == "off",
		cert:       os.Getenv("WEBAPP_CERT"),
		key:        os.Getenv("WEBAPP_CERT_KEY"),
		redis:      os.Getenv("REDIS"),
		master:     os.Getenv("WEBAPP_REDIS_MASTER"),
		sharedKey:  os.Getenv("WEBAPP_KEY") != "",
		realTenant: os.Getenv("SP_APP_ID") != "",
	}
	var err error
	if text := os.Getenv("WEBAPP_REPLICAS"); text != "" {
		if s.replicas, err = strconv.Atoi(text); err != nil || s.replicas < 0 {
			return nil, fmt.Errorf("WEBAPP_REPLICAS is %q: set it to a number", text)
		}
	}
	if s.dir == "" {
		location, err := extensions.DefaultLocation("msalext-webapp")
		if err != nil {
			return nil, err
		}
		s.dir = filepath.Dir(location)
	}
	if s.dir, err = filepath.Abs(s.dir); err != nil {
		return nil, err
	}
	if s.realTenant {
		s.web, err = web.ConfigFromEnv("")
	}
	s.web.BaseURL = cmp.Or(s.web.BaseURL, os.Getenv("DOMAIN"))
	return s, err
}

// listen takes the port, and completes the address that people see.
func (s *settings) listen() (net.Listener, error) {
	l, err := net.Listen("tcp", s.address)
	if err == nil && s.web.BaseURL == "" {
		s.web.BaseURL = "https://" + net.JoinHostPort("localhost", strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	}
	return l, err
}
