package msal

import "strings"

// scanner reads the grammar of RFC 9110 §11.3 and §5.6.
type scanner struct {
	text string
	at   int
}

func (s *scanner) more() bool { return s.at < len(s.text) }

// take reads the bytes that are in accept.
func (s *scanner) take(accept func(byte) bool) string {
	from := s.at
	for s.more() && accept(s.text[s.at]) {
		s.at++
	}
	return s.text[from:s.at]
}

func (s *scanner) skipSpace() bool { return s.take(isSpace) != "" }

// skipCommas passes the ends of list elements, of which some may be empty.
func (s *scanner) skipCommas() bool {
	return s.take(func(b byte) bool { return isSpace(b) || b == ',' }) != ""
}

func (s *scanner) is(b byte) bool { return s.more() && s.text[s.at] == b }

func isSpace(b byte) bool { return b == ' ' || b == '\t' }

func isAlphanumeric(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

// isToken is tchar (RFC 9110 §5.6.2).
func isToken(b byte) bool { return isAlphanumeric(b) || strings.IndexByte("!#$%&'*+-.^_`|~", b) >= 0 }

// isToken68 is what token68 has before its padding (RFC 9110 §11.2).
func isToken68(b byte) bool { return isAlphanumeric(b) || strings.IndexByte("-._~+/", b) >= 0 }

// challenge reads a scheme and what belongs to it.
func (s *scanner) challenge() (Challenge, bool) {
	c := Challenge{Scheme: strings.ToLower(s.take(isToken)), Params: map[string]string{}}
	if c.Scheme == "" {
		return c, false
	}
	if !s.skipSpace() {
		return c, s.atEnd()
	}
	if c.Token68 = s.token68(); c.Token68 != "" {
		return c, true
	}
	return c, s.params(c.Params)
}

// atEnd tells whether an element of the list may end here.
func (s *scanner) atEnd() bool { return !s.more() || s.is(',') }

// token68 reads a token that stands alone, else nothing. A comma or the end has
// to follow, or it is the name of a parameter.
func (s *scanner) token68() string {
	from := s.at
	body := s.take(isToken68)
	s.take(func(b byte) bool { return b == '=' })
	token := s.text[from:s.at]
	s.skipSpace()
	if body == "" || !s.atEnd() {
		s.at = from
		return ""
	}
	return token
}

// params reads parameters up to the next challenge: a name without "=" is its
// scheme. A name that comes twice could be meant in two ways.
func (s *scanner) params(into map[string]string) bool {
	for {
		from := s.at
		name := strings.ToLower(s.take(isToken))
		if name == "" {
			return s.atEnd()
		}
		s.skipSpace()
		if !s.is('=') {
			s.at = from
			return true
		}
		s.at++
		s.skipSpace()
		value, ok := s.value()
		if _, twice := into[name]; !ok || twice || len(into) == maxChallengeParams {
			return false
		}
		into[name] = value
		if s.skipSpace(); !s.atEnd() {
			return false
		}
		s.skipCommas()
	}
}

func (s *scanner) value() (string, bool) {
	if s.is('"') {
		return s.quoted()
	}
	token := s.take(isToken)
	return token, token != ""
}

// quoted reads a quoted string (RFC 9110 §5.6.4), whose backslashes make the
// next byte mean itself.
func (s *scanner) quoted() (string, bool) {
	var b strings.Builder
	for s.at++; s.more(); s.at++ {
		c := s.text[s.at]
		if c == '"' {
			s.at++
			return b.String(), true
		}
		if c == '\\' {
			if s.at++; !s.more() {
				return "", false
			}
			c = s.text[s.at]
		}
		if c < ' ' && c != '\t' || c == 0x7f {
			return "", false
		}
		b.WriteByte(c)
	}
	return "", false
}
