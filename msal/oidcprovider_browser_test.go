//go:build oidcprovider

package msal_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
)

// browser is a person's, who types a name where a page asks for one, a user
// code likewise, and agrees to everything.
type browser struct {
	*provider
	client  *http.Client
	answers map[string]string
}

func (p *provider) browser(answers map[string]string) *browser {
	p.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.Fatal(err)
	}
	return &browser{p, &http.Client{
		Jar:       jar,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: p.roots}},
		CheckRedirect: func(req *http.Request, _ []*http.Request) error {
			if "https://"+req.URL.Host+"/tenant" != p.authority {
				return http.ErrUseLastResponse // it leads back to the application
			}
			return nil
		},
	}, answers}
}

var (
	formAction = regexp.MustCompile(`<form[^>]*action="([^"]*)"`)
	formField  = regexp.MustCompile(`<input[^>]*?(?:value="([^"]*)"[^>]*)?name="(\w+)"(?:[^>]*?value="([^"]*)")?`)
)

// visit is try, which has to work.
func (b *browser) visit(address string) (*url.URL, string) {
	b.Helper()
	at, page, err := b.try(address)
	if err != nil {
		b.Fatal(err)
	}
	return at, page
}

// try fills forms in until there is none, and returns where the browser was sent
// in the end, and what the last page says.
func (b *browser) try(address string) (*url.URL, string, error) {
	resp, err := b.client.Get(address)
	for range 10 {
		if err != nil {
			return nil, "", err
		}
		body, err1 := io.ReadAll(resp.Body)
		if err := errors.Join(err1, resp.Body.Close()); err != nil {
			return nil, "", err
		}
		page, at := string(body), resp.Request.URL
		if back := resp.Header.Get("Location"); back != "" {
			at, err = url.Parse(back)
			return at, page, err
		}
		action := formAction.FindStringSubmatch(page)
		if action == nil {
			return at, page, nil
		}
		to, err1 := at.Parse(action[1])
		if err1 != nil {
			return nil, "", err1
		}
		resp, err = b.client.PostForm(to.String(), b.filled(page))
	}
	return nil, "", errors.New("there is always another form")
}

// filled is what is sent of a page's form.
func (b *browser) filled(page string) url.Values {
	form := url.Values{}
	for _, field := range formField.FindAllStringSubmatch(page, -1) {
		value := field[1] + field[3]
		if typed, ok := b.answers[field[2]]; ok {
			value = typed
		}
		form.Set(field[2], value)
	}
	return form
}

func (p *provider) signInAs(name string) *browser {
	return p.browser(map[string]string{"login": name, "password": "x"})
}
