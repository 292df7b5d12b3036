package msaltest

import (
	"net/http"
	"strconv"
	"time"
)

// managedJSON is the answer of a virtual machine's metadata service, which has
// numbers as text.
type managedJSON struct {
	AccessToken string `json:"access_token"`
	ClientID    string `json:"client_id"`
	ExpiresIn   string `json:"expires_in"`
	ExpiresOn   string `json:"expires_on"`
	Resource    string `json:"resource"`
	TokenType   string `json:"token_type"`
}

// managedIdentity plays the metadata service of an Azure virtual machine,
// which has a system-assigned identity and every user-assigned one:
// https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token.
func (s *Server) managedIdentity(r *http.Request) (any, *Failure) {
	if r.Header.Get("Metadata") != "true" {
		return nil, invalidRequest("Required metadata header not specified.")
	}
	resource := r.Form.Get("resource")
	if resource == "" {
		return nil, missingParameter("resource")
	}
	identity := r.Form.Get("client_id")
	if identity == "" {
		identity = guid("managed identity", r.Form.Get("object_id"), r.Form.Get("mi_res_id"))
	}
	to := grant{base: baseURL(r), tenant: s.opts.Tenant, clientID: identity, scope: resource + "/.default"}
	lifetime := wholeSeconds(s.opts.ExpiresIn)
	return managedJSON{
		AccessToken: s.jwt(s.appClaims(to)),
		ClientID:    identity,
		ExpiresIn:   strconv.Itoa(lifetime),
		ExpiresOn:   strconv.FormatInt(time.Now().Unix()+int64(lifetime), 10),
		Resource:    resource,
		TokenType:   "Bearer",
	}, nil
}
