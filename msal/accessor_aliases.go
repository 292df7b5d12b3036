package msal

import (
	"encoding/json"
	"maps"
	"strings"

	"github.com/msalext/msalext/extensions/tokencache"
)

// MSAL for Go signs out the account of one host name alone, that of the account
// it is given. What is stored of the person can be under another name of the same
// cloud: MSAL.NET writes login.windows.net, and a cache keeps the name that was
// there first. So for a sign-out MSAL is given each entry under every name, and
// what it removes of these copies goes as it is stored.

// aliasCopies names for each copy the entry that it is of, by section and key.
type aliasCopies map[string]map[string]string

type cacheEntries = map[string]map[string]json.RawMessage

var aliasedSections = []string{"AccessToken", "RefreshToken", "IdToken", "Account"}

// withAliases adds to what MSAL reads a copy of each entry under each other name
// of its cloud.
func withAliases(readable []byte) ([]byte, aliasCopies) {
	members, sections, ok := apart(readable)
	if !ok {
		return readable, nil // it is MSAL that says so
	}
	copies := aliasCopies{}
	for name, section := range sections {
		copies[name] = map[string]string{}
		for key, raw := range maps.Clone(section) {
			for host, twin := range twins(raw) {
				// MSAL gives keys with capital letters new ones.
				twinKey := strings.ToLower(key + " at " + host)
				section[twinKey], copies[name][twinKey] = twin, key
			}
		}
	}
	return together(members, sections), copies
}

// undo removes the copies, and those entries of which MSAL has removed one.
func (a aliasCopies) undo(ours []byte) []byte {
	if len(a) == 0 {
		return ours
	}
	members, sections, ok := apart(ours)
	if !ok {
		return ours // the merge says so
	}
	for name, copies := range a {
		for twinKey, key := range copies {
			if _, left := sections[name][twinKey]; !left {
				delete(sections[name], key)
			}
			delete(sections[name], twinKey)
		}
	}
	return together(members, sections)
}

// twins yields an entry under each other name of its cloud.
func twins(raw json.RawMessage) map[string]json.RawMessage {
	var fields map[string]json.RawMessage
	var environment string
	if json.Unmarshal(raw, &fields) != nil || json.Unmarshal(fields["environment"], &environment) != nil {
		return nil
	}
	all := map[string]json.RawMessage{}
	for _, host := range tokencache.Aliases(environment) {
		if strings.EqualFold(host, environment) {
			continue
		}
		fields["environment"] = text(host)
		all[host] = object(fields)
	}
	return all
}

// apart takes a cache apart. It is false for what isn't one.
func apart(data []byte) (map[string]json.RawMessage, cacheEntries, bool) {
	members, sections := map[string]json.RawMessage{}, cacheEntries{}
	if len(data) > 0 && json.Unmarshal(data, &members) != nil {
		return nil, nil, false
	}
	for _, name := range aliasedSections {
		var section map[string]json.RawMessage
		if raw, there := members[name]; there && json.Unmarshal(raw, &section) != nil {
			return nil, nil, false
		}
		if section != nil {
			sections[name] = section
		}
	}
	return members, sections, true
}

func together(members map[string]json.RawMessage, sections cacheEntries) []byte {
	for name, section := range sections {
		members[name] = object(section)
	}
	return object(members)
}

// object encodes what was JSON before, which always works.
func object(members map[string]json.RawMessage) json.RawMessage {
	data, _ := json.Marshal(members)
	return data
}

func text(s string) json.RawMessage {
	data, _ := json.Marshal(s)
	return data
}
