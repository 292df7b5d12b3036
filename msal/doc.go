// Package msal joins the token cache of MSAL for Go, which lives in memory, to
// a store that other processes share.
//
//	cache := extensions.NewPersistedTokenCache(p, nil)
//	client, err := public.New(clientID, public.WithCache(msal.Accessor(cache)))
//
// From then on each token that MSAL acquires is stored, and each process finds
// what the others stored. It works with public and confidential clients; an
// application may give one Accessor to several.
//
// Tokens that a confidential client acquires on behalf of a user stay in
// memory: MSAL for Go can't load them back
// (AzureAD/microsoft-authentication-library-for-go#455).
package msal
