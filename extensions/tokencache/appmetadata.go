package tokencache

// addAppMetadata adds what MSAL Go wants to find before it looks for a refresh
// token: metadata of the application at that cloud. msal-node and MSAL4J write
// none for an application without a family, so that theirs would be lost on
// MSAL Go as soon as the access token expires. A family that the token belongs
// to isn't said to be the application's; MSAL Go tries the family's tokens
// after its own all the same.
func (c *TokenCache) addAppMetadata() {
	known := map[identity]bool{}
	for _, e := range c.sections[AppMetadata].all {
		if id, ok := identityOf(AppMetadata, e.raw); ok {
			known[id] = true
		}
	}
	for _, e := range c.sections[RefreshTokens].all {
		f := factsOf(e.raw)
		id, ok := f.identity(AppMetadata)
		if !ok || known[id] {
			continue
		}
		known[id] = true
		var o object
		o.text("client_id", f.client)
		o.text("environment", f.env)
		c.sections[AppMetadata].put(keyOf(AppMetadata, &f), o.bytes())
	}
}
