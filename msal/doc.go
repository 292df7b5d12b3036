// Package msal joins the token cache of MSAL for Go, which lives in memory, to
// a store that other processes share, and adds what MSAL for Python has and MSAL
// for Go lacks.
//
//	cache := extensions.NewPersistedTokenCache(p, nil)
//	client, err := msal.NewPublic(clientID, &msal.Options{Cache: cache})
//
// From then on each token is stored, and each process finds what the others
// stored. MSAL's own clients take the same cache:
//
//	client, err := public.New(clientID, public.WithCache(msal.Accessor(cache)))
//
// Public and confidential clients, of this package and of MSAL's, may share one
// cache, and [Public.MSAL] and [Confidential.MSAL] are the clients of MSAL's that
// do the protocol. What a feature of MSAL Python is called here is in
// docs/msal.md of this module.
//
// Brokers (the Windows account manager, the Company Portal, Microsoft Identity
// Broker) can't be used: MSAL for Go has no part for them; see [WithBroker].
package msal
