package web

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Graph asks Microsoft Graph about the person whose tokens Client sends.
type Graph struct {
	Client *http.Client // sends requests with a token; see [Session.Client]
	URL    string       // the base; empty: https://graph.microsoft.com/v1.0
}

// Person is a user, as Microsoft Graph describes one
// (https://learn.microsoft.com/graph/api/resources/user). What Graph doesn't know
// is empty.
type Person struct {
	ID        string `json:"id"`
	Name      string `json:"displayName"`
	GivenName string `json:"givenName"`
	Surname   string `json:"surname"`
	Mail      string `json:"mail"`
	UserName  string `json:"userPrincipalName"`
	JobTitle  string `json:"jobTitle"`
	Office    string `json:"officeLocation"`
	Mobile    string `json:"mobilePhone"`
	Language  string `json:"preferredLanguage"`
}

// Photo is a person's photo. Whoever has it closes Body.
type Photo struct {
	ContentType string // one of image/jpeg, image/png, image/gif, image/webp
	Size        int64  // in bytes; -1: not known
	Body        io.ReadCloser
}

// maxGraph is far above what Graph tells of a person.
const maxGraph = 1 << 20

// Me returns the person. It needs the scope User.Read. Errors are those of the
// Client, such as [ErrSignIn], and [*GraphError].
func (g *Graph) Me(ctx context.Context) (Person, error) { return g.person(ctx, "/me") }

// Manager returns the person's manager; [ErrNoSuch] where there is none. It needs
// the scope User.Read.All. Errors are as for [Graph.Me].
func (g *Graph) Manager(ctx context.Context) (Person, error) { return g.person(ctx, "/me/manager") }

func (g *Graph) person(ctx context.Context, path string) (Person, error) {
	var p Person
	fields := "id,displayName,givenName,surname,mail,userPrincipalName,jobTitle,officeLocation,mobilePhone,preferredLanguage"
	resp, err := g.get(ctx, path+"?"+url.Values{"$select": {fields}}.Encode())
	if err != nil {
		return p, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxGraph)).Decode(&p); err != nil {
		return Person{}, fmt.Errorf("msalext: ask Microsoft Graph for %s: the answer isn't JSON of a person", path)
	}
	return p, nil
}

// Photo returns the person's photo; [ErrNoSuch] where there is none. It needs the
// scope User.Read. What isn't an image that browsers only show, such as SVG with
// its scripts, and what is larger than 16 MiB, is an error. Other errors are as
// for [Graph.Me].
func (g *Graph) Photo(ctx context.Context) (Photo, error) {
	resp, err := g.get(ctx, "/me/photo/$value")
	if err != nil {
		return Photo{}, err
	}
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || !slices.Contains([]string{"image/jpeg", "image/png", "image/gif", "image/webp"}, kind) {
		resp.Body.Close()
		return Photo{}, fmt.Errorf("msalext: ask Microsoft Graph for the photo: it is %.40q, which isn't shown", kind)
	}
	if resp.ContentLength > maxPhoto {
		resp.Body.Close()
		return Photo{}, fmt.Errorf("msalext: ask Microsoft Graph for the photo: it has %d bytes", resp.ContentLength)
	}
	return Photo{ContentType: kind, Size: resp.ContentLength, Body: http.MaxBytesReader(nil, resp.Body, maxPhoto)}, nil
}

// get sends a request; the answer has status 200.
func (g *Graph) get(ctx context.Context, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(cmp.Or(g.URL, defaultGraph), "/")+path, nil)
	if err != nil {
		return nil, fmt.Errorf("msalext: ask Microsoft Graph: %w", err)
	}
	resp, err := g.Client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("msalext: ask Microsoft Graph: %w", err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, graphError(resp)
}

// GraphError is an answer of Microsoft Graph in place of what was asked for. A
// status of 404 is [ErrNoSuch].
type GraphError struct {
	Status int    // of HTTP
	Code   string // Graph's word, such as ErrorItemNotFound; may be empty
	ID     string // what Microsoft's support asks for; may be empty
}

// Error is one line. Graph's own text isn't in it, since that can name people.
func (e *GraphError) Error() string {
	return fmt.Sprintf("msalext: ask Microsoft Graph: status %d %s (request id %s)", e.Status, e.Code, cmp.Or(e.ID, "unknown"))
}

// Is tells what the status means.
func (e *GraphError) Is(target error) bool {
	return target == ErrNoSuch && e.Status == http.StatusNotFound
}

func graphError(resp *http.Response) error {
	var body struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	// What isn't JSON has no code.
	_ = json.NewDecoder(io.LimitReader(resp.Body, maxGraph)).Decode(&body)
	return &GraphError{Status: resp.StatusCode, Code: word(body.Error.Code), ID: word(resp.Header.Get("request-id"))}
}

// word keeps what an id or a code has in it.
func word(text string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f {
			return r
		}
		return -1
	}, text[:min(len(text), 80)])
}
