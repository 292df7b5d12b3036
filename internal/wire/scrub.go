package wire

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/msalext/msalext/extensions/backend"
)

// minSecret is the shortest secret that is looked for: shorter ones would
// blot out ordinary words.
const minSecret = 4

const redacted = "[secret]"

// A scrubber replaces secrets in text. It doesn't change; nil replaces
// nothing.
type scrubber struct {
	needles  []string
	replacer *strings.Replacer
}

// with returns a scrubber that knows these secrets too.
func (s *scrubber) with(secrets map[string]backend.Secret) *scrubber {
	var needles []string
	for _, secret := range secrets {
		needles = append(needles, spellings(string(secret))...)
	}
	needles = slices.DeleteFunc(needles, func(n string) bool { return len(n) < minSecret })
	if len(needles) == 0 {
		return s
	}
	if s != nil {
		needles = append(needles, s.needles...)
	}
	return newScrubber(needles)
}

func newScrubber(needles []string) *scrubber {
	slices.Sort(needles)
	needles = slices.Compact(needles)
	// The replacer takes the first that fits: a secret that begins with
	// another must come before it.
	slices.SortStableFunc(needles, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, needle := range needles {
		pairs = append(pairs, needle, redacted)
	}
	return &scrubber{needles, strings.NewReplacer(pairs...)}
}

// spellings lists the forms in which libraries put a secret into messages. A
// secret that is a URL holds a password that may show alone.
func spellings(secret string) []string {
	all := variants(secret)
	_, rest, isURL := strings.Cut(secret, "://")
	end := strings.LastIndex(rest, "@") // by hand: net/url refuses passwords that libraries take
	if !isURL || end < 0 {
		return all
	}
	_, password, _ := strings.Cut(rest[:end], ":")
	all = append(all, variants(password)...)
	if plain, err := url.PathUnescape(password); err == nil {
		all = append(all, variants(plain)...)
	}
	return all
}

func variants(secret string) []string {
	if len(secret) < minSecret {
		return nil
	}
	quoted := strconv.Quote(secret)
	all := []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), quoted[1 : len(quoted)-1],
		base64.StdEncoding.EncodeToString([]byte(secret)),
	}
	if text, err := json.Marshal(secret); err == nil {
		all = append(all, string(text[1:len(text)-1]))
	}
	return all
}

func (s *scrubber) text(text string) string {
	if s == nil {
		return text
	}
	return s.replacer.Replace(text)
}

// clean scrubs before it cuts, or a cut secret would stay unrecognised.
func (s *scrubber) clean(text string) string { return Clean(s.text(text)) }
