package tokencache

import "strings"

// dropOlderRefreshTokens leaves the newest of each identity. Of those that are
// equally new it leaves the one under MSAL Go's own key, which ends with the
// client: MSAL Go adds it beside one that others wrote, and dates neither. Else
// it leaves the last in the document.
func (c *TokenCache) dropOlderRefreshTokens() {
	s := &c.sections[RefreshTokens]
	newest := map[identity]int{}
	dates := datesOf(c)
	for i, e := range s.all {
		id, ok := identityOf(RefreshTokens, e.raw)
		if !ok {
			continue
		}
		if j, dup := newest[id]; dup {
			older := j
			if a, b := dates.of(s.entries[j].raw), dates.of(e.raw); a.after(b) || a == b && ofMSALGo(s.entries[j].key) && !ofMSALGo(e.key) {
				older = i
			}
			s.drop(older)
			if older == i {
				continue
			}
		}
		newest[id] = i
	}
}

// ofMSALGo tells MSAL Go's keys of refresh tokens from those of other libraries,
// which go on after the client with the separators of what they leave out.
func ofMSALGo(key string) bool { return !strings.HasSuffix(key, "-") }

// date is when a refresh token was stored.
type date struct {
	at    int64 // 0: nobody knows
	known bool  // it says so itself
}

func (d date) after(other date) bool {
	if d.at == other.at {
		return d.known && !other.known
	}
	return d.at > other.at
}

// dates tells when refresh tokens were stored. MSAL Python dates them. MSAL.NET
// and MSAL Go don't, but with each they store an access token that says when it
// was cached: the newest one of the same account and client, under the same
// name of the host, which tells MSAL.NET's from others', is as new as the
// refresh token or newer. It may be Python's own, and is no newer then than
// the date of Python's refresh token.
type dates struct {
	cache  *TokenCache
	cached map[source]int64
}

// source is an account and a client at a host, in lower case.
type source struct{ home, env, client string }

func datesOf(c *TokenCache) dates { return dates{cache: c} }

func (d *dates) of(raw []byte) date {
	if at := modified(raw); at > 0 {
		return date{at, true}
	}
	if d.cached == nil {
		d.cached = map[source]int64{}
		for _, e := range d.cache.sections[AccessTokens].all {
			from := sourceOf(e.raw)
			d.cached[from] = max(d.cached[from], seconds(valueOf(e.raw, `"cached_at"`)))
		}
	}
	return date{at: d.cached[sourceOf(raw)]}
}

func sourceOf(raw []byte) source {
	f := factsOf(raw)
	return source{strings.ToLower(f.home), strings.ToLower(f.env), strings.ToLower(f.client)}
}

// modified is the date that a refresh token has, 0 for none.
func modified(raw []byte) int64 { return seconds(valueOf(raw, lastModified)) }
