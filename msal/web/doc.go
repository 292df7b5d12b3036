// Package web signs people in to a web application with Microsoft Entra ID, for
// net/http and every router on top of it.
//
//	app, err := web.New(web.Config{
//		ClientID: clientID, Authority: "https://login.microsoftonline.com/" + tenant, Credential: credential,
//		BaseURL: "https://shop.example", Scopes: []string{"User.Read"}, Tokens: tokens,
//	})
//	…
//	mux.Handle("/user/", app.Handler())
//	mux.Handle("/orders", app.Require(web.SignedIn)(orders))
//	http.ListenAndServeTLS(addr, cert, key, app.Wrap(mux))
//
// A handler asks for its session and calls APIs with it:
//
//	s := app.Session(r)
//	me, err := s.Graph().Me(r.Context())
//
// # What lies where
//
// The session cookie holds a random id and nothing else. What is known of a
// person (a [Record]) lies in the session store, which is one of
// github.com/alexedwards/scs: memory, SQLite, Redis or another. Tokens lie
// neither there nor in a cookie, but in an item of their own for each session in
// Config.Tokens, which is encrypted. Processes that share both stores share the
// users: what one refreshes the others find.
//
// # A sign-in
//
// It is the authorization code flow with PKCE, state and nonce. What has to be
// known when the browser comes back is sealed (AES-256-GCM, with a key that lies in
// Config.Tokens) in a cookie for that one attempt, so that any number of attempts
// take no memory, several tabs may sign in at once, and any process can finish
// what another began. A flow ends after ten minutes and works once.
//
// # Routes
//
//	GET  /user/login[/{to}]     begins a sign-in, and leads to /{to} after it
//	POST /user/authorized       where the identity provider sends the browser (or GET, as with ResponseMode "query")
//	GET  /user/logout[/{to}]    a page with a button
//	POST /user/logout[/{to}]    signs out, here and at the identity provider
//	GET  /user/info             who is signed in, as JSON
//	GET  /user/photo            the person's photo
//
// # Pages of your own
//
// Browsers show a page again as it was when somebody goes back, also after the
// sign-out, and Chromium does so even with Cache-Control: no-store. A page that
// shows whose it is should reload itself when it comes from there: the event
// pageshow has persisted set. examples/webapp does.
//
// # Which redirect URIs to register
//
// At the identity provider, as platform "Web": Config.RedirectURI, which is
// BaseURL + "/user/authorized", and for sign-outs BaseURL + "/" and what else is
// given to /user/logout/.
package web
