package libsecret

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/msalext/msalext/extensions/backend"
)

// schemaAttribute is where libsecret keeps a schema's name.
const schemaAttribute = "xdg:schema"

// Attributes of items under further keys. They share none with the main item:
// a search by its attributes must not find them.
const (
	keySchema      = "com.github.msalext.Key"
	keyAttribute   = "msalext-key"   // the key, as url.QueryEscape writes it: attributes are UTF-8 without NUL
	cacheAttribute = "msalext-cache" // the main item that the key belongs to
)

// place is where one cache's items lie, and how.
type place struct {
	collection  string
	schema      string
	attributes  map[string]string // as the settings name them
	matchSchema bool
	label       string
	encoding    encoding
	activate    bool
}

func (b libsecretBackend) place(c backend.Config) (place, error) {
	if len(c.Secrets) > 0 {
		return place{}, &backend.Error{
			Kind: backend.ErrInvalid, Err: fmt.Errorf("%q given as secrets", slices.Sorted(maps.Keys(c.Secrets))),
			Hint: "give them as settings: none of this backend's is secret",
		}
	}
	settings, _, err := b.Describe().Split(c.Settings)
	if err != nil {
		return place{}, err
	}
	sum := sha256.Sum256([]byte(c.Location))
	at := place{
		collection: either(settings["collection"], "default"),
		schema:     either(settings["schema"], hex.EncodeToString(sum[:])),
		label:      either(settings["label"], "MSAL token cache"),
	}
	if at.attributes, err = attributes(settings); err != nil {
		return place{}, err
	}
	if at.encoding, err = encodingNamed(either(settings["encoding"], "raw")); err != nil {
		return place{}, err
	}
	if at.matchSchema, err = boolean(settings, "match-schema", true); err != nil {
		return place{}, err
	}
	if at.activate, err = boolean(settings, "activate", false); err != nil {
		return place{}, err
	}
	return at, at.check()
}

func attributes(settings backend.Settings) (map[string]string, error) {
	found := map[string]string{}
	for setting, value := range settings {
		attribute, ok := strings.CutPrefix(setting, "attribute.")
		if !ok {
			continue
		}
		if attribute == "" || attribute == schemaAttribute {
			return nil, invalid(setting, value, "another attribute, attribute.NAME=VALUE, or schema")
		}
		found[attribute] = value
	}
	return found, nil
}

// check refuses what the bus can't carry, and what would find any item at all.
func (at place) check() error {
	texts := []string{at.collection, at.schema, at.label}
	for attribute, value := range at.attributes {
		texts = append(texts, attribute, value)
	}
	for _, text := range texts {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return invalid("schema, label, collection or attribute", text, "valid UTF-8 without NUL")
		}
	}
	if at.label == deletedLabel {
		return invalid("label", at.label, "another text: this one marks deleted items")
	}
	if !at.matchSchema && len(at.attributes) == 0 {
		return invalid("match-schema", "false", "true, or add an attribute: without either, any item would match")
	}
	return nil
}

func boolean(settings backend.Settings, setting string, standard bool) (bool, error) {
	switch value := settings[setting]; value {
	case "":
		return standard, nil
	case "true", "false":
		return value == "true", nil
	default:
		return false, invalid(setting, value, "true or false")
	}
}

func either(value, standard string) string {
	if value == "" {
		return standard
	}
	return value
}

// stored are the attributes that a new item of the key gets.
func (at place) stored(key string) map[string]string {
	if key != "" {
		return map[string]string{schemaAttribute: keySchema, cacheAttribute: at.id(), keyAttribute: url.QueryEscape(key)}
	}
	all := map[string]string{schemaAttribute: at.schema}
	maps.Copy(all, at.attributes)
	return all
}

// sought are the attributes by which the item of the key is found.
func (at place) sought(key string) map[string]string {
	all := at.stored(key)
	if key == "" && !at.matchSchema {
		delete(all, schemaAttribute)
	}
	return all
}

// further are the attributes by which all items under further keys are found.
func (at place) further() map[string]string {
	all := at.stored("any")
	delete(all, keyAttribute)
	return all
}

// id names the main item, for the items that belong to it.
func (at place) id() string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %q", at.collection, at.schema)
	for _, attribute := range slices.Sorted(maps.Keys(at.attributes)) {
		fmt.Fprintf(sum, " %q=%q", attribute, at.attributes[attribute])
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// added are attributes that services put on items of their own accord:
// KeePassXC shows its entries' fields that way, and notes the content type of
// what isn't text.
var added = []string{schemaAttribute, "Title", "UserName", "URL", "Notes", "TOTP", "Uuid", "Path", "FDO_SECRETS_CONTENT_TYPE"}

// matches tells whether an item that a search found is the key's own, and not
// one of another program that has more attributes. It doesn't trust the search:
// what matches is overwritten and deleted.
func (at place) matches(key string, attributes map[string]string) bool {
	want := at.sought(key)
	for attribute, value := range want {
		if has, ok := attributes[attribute]; !ok || has != value {
			return false
		}
	}
	for attribute := range attributes {
		if _, ok := want[attribute]; !ok && !slices.Contains(added, attribute) {
			return false
		}
	}
	return true
}
