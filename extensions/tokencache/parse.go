package tokencache

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

var byteOrderMark = []byte("\ufeff")

// parser walks a document once and notes where its parts lie.
type parser struct {
	src []byte
	dec *jsontext.Decoder
	at  int // end of what was read last
}

// parse reads a document. Nothing but white space is an empty cache.
func parse(data []byte) (TokenCache, error) {
	src := bytes.TrimPrefix(data, byteOrderMark)
	skipped := int64(len(data) - len(src))
	if len(bytes.TrimLeft(src, " \t\r\n")) == 0 {
		return TokenCache{}, nil
	}
	c, err := (&parser{src: src}).document()
	if e, ok := errors.AsType[*SyntaxError](err); ok {
		e.Offset += skipped
	}
	return c, err
}

func (p *parser) document() (TokenCache, error) {
	if !utf8.Valid(p.src) {
		return TokenCache{}, &SyntaxError{Offset: invalidUTF8(p.src), Reason: reasonEncoding}
	}
	// Python, .NET and Java can write half of a surrogate pair, escaped, when a
	// name was cut. The option is for that; raw bytes were checked above.
	p.dec = jsontext.NewDecoder(bytes.NewBuffer(p.src), jsontext.AllowInvalidUTF8(true))
	if k := p.dec.PeekKind(); k != '{' && k != jsontext.KindInvalid {
		return TokenCache{}, &SyntaxError{Offset: p.dec.InputOffset(), Reason: reasonNotObject}
	}
	c := TokenCache{src: p.src}
	tail, err := p.object(func(m entry) error { return p.member(&c, m) })
	if err != nil {
		return TokenCache{}, err
	}
	c.tail = tail
	return c, p.end()
}

// object reads an object, and calls value for each member with its name read
// and its value still to come.
func (p *parser) object(value func(entry) error) (tail []byte, err error) {
	if err := p.token(); err != nil {
		return nil, err
	}
	for first := true; p.dec.PeekKind() != '}'; first = false {
		start := p.at
		name, err := p.value()
		if err != nil {
			return nil, err
		}
		lead := p.src[start:]
		if !first {
			lead = skipComma(lead)
		}
		if err := value(entry{key: unquote(name), lead: lead}); err != nil {
			return nil, err
		}
	}
	start := p.at
	if err := p.token(); err != nil {
		return nil, err
	}
	return p.src[start : p.at-1], nil
}

// member reads the value of a top-level member. A section that is null is
// empty, and stays null until something is put into it.
func (p *parser) member(c *TokenCache, m entry) error {
	k, known := kindOf(m.key)
	switch p.dec.PeekKind() {
	case '{':
		if known {
			return p.section(c, m, k)
		}
	case 'n', jsontext.KindInvalid:
	default:
		if known {
			return &SyntaxError{Offset: int64(p.at), Reason: "section " + m.key + " is not an object"}
		}
	}
	if err := p.finish(&m); err != nil {
		return err
	}
	c.members = append(c.members, member{entry: m, kind: k, known: known})
	return nil
}

func (p *parser) section(c *TokenCache, m entry, k Section) error {
	s := &c.sections[k]
	nameEnd := p.at
	tail, err := p.object(func(e entry) error {
		if err := p.finish(&e); err != nil {
			return err
		}
		s.entries = append(s.entries, e)
		return nil
	})
	if err != nil {
		return err
	}
	s.tail = tail
	open := nameEnd + bytes.IndexByte(p.src[nameEnd:], '{')
	m.lead, m.raw = m.lead[:len(m.lead)-len(p.src)+open], p.src[open:p.at]
	c.members = append(c.members, member{entry: m, kind: k, known: true})
	return nil
}

// finish reads the value of e, and cuts e.lead where the value starts.
func (p *parser) finish(e *entry) error {
	raw, err := p.value()
	if err != nil {
		return err
	}
	start := p.at - len(raw)
	e.raw = p.src[start:p.at]
	e.lead = e.lead[:len(e.lead)-len(p.src)+start]
	return nil
}

// end refuses anything but white space after the object: it is what a torn
// overwrite of a longer file leaves.
func (p *parser) end() error {
	_, err := p.dec.ReadToken()
	if err == io.EOF {
		return nil
	}
	return &SyntaxError{Offset: int64(p.at), Reason: reasonTrailing}
}

func (p *parser) token() error {
	_, err := p.dec.ReadToken()
	return p.moved(err)
}

func (p *parser) value() (jsontext.Value, error) {
	v, err := p.dec.ReadValue()
	return v, p.moved(err)
}

func (p *parser) moved(err error) error {
	p.at = int(p.dec.InputOffset())
	if err == nil {
		return nil
	}
	offset := int64(p.at)
	if e, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		offset = e.ByteOffset
	}
	return &SyntaxError{Offset: offset, Reason: syntaxReason(err)}
}

// invalidUTF8 returns where the first invalid sequence starts.
func invalidUTF8(src []byte) int64 {
	for i := 0; i < len(src); {
		r, n := utf8.DecodeRune(src[i:])
		if r == utf8.RuneError && n == 1 {
			return int64(i)
		}
		i += n
	}
	return int64(len(src))
}
