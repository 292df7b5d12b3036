package msaltest

import (
	"cmp"
	"errors"
	"net/http"
	"strings"
)

const graphResource = "https://graph.microsoft.com"

// GraphURL returns the address of the fake's Microsoft Graph: me, me/manager
// and me/photo/$value below it answer who presents an access token that the
// fake issued for Graph, and that hasn't expired. [Server.CloudClient] finds
// it at https://graph.microsoft.com/v1.0 as well.
func (s *Server) GraphURL() string { return s.URL() + "/v1.0" }

// person is a user as Microsoft Graph describes one.
type person struct {
	Context   string  `json:"@odata.context,omitempty"`
	Type      string  `json:"@odata.type,omitempty"`
	ID        string  `json:"id"`
	Name      string  `json:"displayName"`
	GivenName *string `json:"givenName"`
	Surname   *string `json:"surname"`
	Mail      string  `json:"mail"`
	JobTitle  *string `json:"jobTitle"`
	Username  string  `json:"userPrincipalName"`
}

func (s *Server) describe(username, page, kind string) person {
	u, _ := s.user(username)
	given, family, both := strings.Cut(u.Name, " ")
	p := person{
		Context:  graphResource + "/v1.0/$metadata#" + page,
		Type:     kind,
		ID:       objectID(u.Username),
		Name:     u.Name,
		Mail:     u.Username,
		Username: u.Username,
	}
	if both {
		p.GivenName, p.Surname = &given, &family
	}
	if u.JobTitle != "" {
		p.JobTitle = &u.JobTitle
	}
	return p
}

func (s *Server) me(r *http.Request) (any, *Failure) {
	return s.asPerson(r, func(username string) (any, *Failure) {
		return s.describe(username, "users/$entity", ""), nil
	})
}

func (s *Server) manager(r *http.Request) (any, *Failure) {
	return s.asPerson(r, func(username string) (any, *Failure) {
		u, _ := s.user(username)
		if u.Manager == "" {
			return nil, graphFailure(http.StatusNotFound, "Request_ResourceNotFound", "Resource 'manager' does not exist or one of its queried reference-property objects are not present.")
		}
		return s.describe(u.Manager, "directoryObjects/$entity", "#microsoft.graph.user"), nil
	})
}

func (s *Server) photo(r *http.Request) (any, *Failure) {
	return s.asPerson(r, func(username string) (any, *Failure) {
		u, _ := s.user(username)
		if len(u.Photo) == 0 {
			return nil, graphFailure(http.StatusNotFound, "ImageNotFound", "The photo wasn't found.")
		}
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", cmp.Or(u.PhotoType, http.DetectContentType(u.Photo)))
			// A failed write means that the client is gone.
			_, _ = w.Write(u.Photo)
		}), nil
	})
}

// asPerson answers for the person whose access token the request presents.
func (s *Server) asPerson(r *http.Request, answer func(username string) (any, *Failure)) (any, *Failure) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	claims, err := s.presented(scheme, token, r)
	if err != nil {
		return nil, refuseToken(err)
	}
	if claims["aud"] != graphResource {
		return nil, graphFailure(http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.")
	}
	username, _ := claims["upn"].(string)
	if username == "" {
		return nil, graphFailure(http.StatusBadRequest, "BadRequest", "/me request is only valid with delegated authentication flow.")
	}
	return answer(username)
}

func refuseToken(err error) *Failure {
	text := "Access token validation failure: " + err.Error() + "."
	if errors.Is(err, errExpired) {
		text = "Lifetime validation failed, the token is expired."
	}
	f := graphFailure(http.StatusUnauthorized, "InvalidAuthenticationToken", text)
	f.Header = http.Header{"Www-Authenticate": {`Bearer realm="", error="invalid_token"`}}
	return f
}

// graphFailure is an error in the form of Microsoft Graph.
func graphFailure(status int, code, message string) *Failure {
	return &Failure{Status: status, Code: code, Body: graphError(code, message)}
}

func graphError(code, message string) []byte {
	return marshal(map[string]any{"error": map[string]any{"code": code, "message": message}})
}
