package libsecret

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"strings"

	"github.com/godbus/dbus/v5"
)

// godbus takes an array of bytes apart and puts it together byte by byte. For a
// secret of 10 kB that takes longer than the Secret Service does. So secrets are
// sent as an array of words, and the bytes of a string are what it gets: it
// copies those whole. On the bus they are what the specification says.

// Signatures of a Secret: on the bus, and as godbus decodes it. The number behind
// the string is there to make the second as long as the first.
const (
	secretSignature = "(oayays)"
	inText          = "(oaysus)"
)

// wordy is a secret as godbus encodes it.
type wordy struct {
	Session     dbus.ObjectPath
	Parameters  []byte
	Value       []uint32
	ContentType string
}

func (s secret) words() wordy {
	words := make([]uint32, len(s.Value)/4) // whole blocks of the cipher
	for i := range words {
		words[i] = binary.NativeEndian.Uint32(s.Value[4*i:])
	}
	return wordy{s.Session, s.Parameters, words, s.ContentType}
}

// message is a method call.
func message(flags dbus.Flags, to string, path dbus.ObjectPath, method string, args []any) *dbus.Message {
	of, name := method[:strings.LastIndexByte(method, '.')], method[strings.LastIndexByte(method, '.')+1:]
	m := &dbus.Message{Type: dbus.TypeMethodCall, Flags: flags, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldDestination: dbus.MakeVariant(to), dbus.FieldPath: dbus.MakeVariant(path),
		dbus.FieldInterface: dbus.MakeVariant(of), dbus.FieldMember: dbus.MakeVariant(name),
	}}
	for _, arg := range args {
		if s, ok := arg.(secret); ok {
			arg = s.words()
		}
		m.Body = append(m.Body, arg)
	}
	if len(args) > 0 {
		m.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(args...))
	}
	return m
}

// Of the D-Bus specification, section "Message format".
const (
	fixedHead    = 16 // bytes before the header's fields
	bodyLength   = 4  // where that is, and so on
	fieldsLength = 12
	methodReply  = 2
	signature    = 8 // a header field
	longest      = 1 << 27
	beyond       = 1 << 30 // any message's end
)

// frame reads a message. It reads on where head isn't the head of one, and
// leaves that to godbus.
func frame(r io.Reader) ([]byte, error) {
	var message bytes.Buffer
	if _, err := io.CopyN(&message, r, fixedHead); err != nil {
		return nil, err
	}
	head := message.Bytes()
	order := byteOrder(head[0])
	if order == nil {
		return head, nil
	}
	rest := aligned(int64(order.Uint32(head[fieldsLength:])), 8) + int64(order.Uint32(head[bodyLength:]))
	if rest > longest {
		return head, nil
	}
	_, err := io.CopyN(&message, r, rest) // grows with what arrives, whatever was announced
	return message.Bytes(), err
}

func byteOrder(mark byte) binary.ByteOrder {
	switch mark {
	case 'l':
		return binary.LittleEndian
	case 'B':
		return binary.BigEndian
	}
	return nil
}

func aligned[N int | int64](at, to N) N { return (at + to - 1) / to * to }

// textual turns the secret that a message answers with into a string. Other
// messages stay as they are.
func textual(message []byte) []byte {
	order := byteOrder(message[0])
	if order == nil || len(message) <= fixedHead || message[1] != methodReply {
		return message
	}
	c := &cursor{data: message, order: order, at: fixedHead}
	sig := c.signature(fixedHead + int(order.Uint32(message[fieldsLength:])))
	if string(sig) != secretSignature {
		return message
	}
	c.at = aligned(fixedHead+int(order.Uint32(message[fieldsLength:])), 8)
	c.skip(c.number() + 1) // the session's path
	c.skip(c.number())     // the parameters
	n := c.number()
	if c.skip(n); !c.ok() || n%4 != 0 {
		return message
	}
	copy(sig, inText)
	var behind [8]byte // the string's NUL, what aligns the number, and the number
	order.PutUint32(message[bodyLength:], order.Uint32(message[bodyLength:])+uint32(len(behind)))
	return slices.Insert(message, c.at, behind[:]...)
}

// cursor reads a message. Beyond the end it reads zeros.
type cursor struct {
	data  []byte
	order binary.ByteOrder
	at    int
}

func (c *cursor) ok() bool { return c.at <= len(c.data) }

func (c *cursor) skip(n int) { c.at = min(c.at+n, beyond) }

func (c *cursor) byte() int {
	c.skip(1)
	if !c.ok() {
		return 0
	}
	return int(c.data[c.at-1])
}

func (c *cursor) number() int {
	c.at = aligned(c.at, 4)
	if c.skip(4); !c.ok() {
		return 0
	}
	n := c.order.Uint32(c.data[c.at-4:])
	if n > longest {
		c.at = beyond
		return 0
	}
	return int(n)
}

// signature finds the signature of the body among the header's fields, which
// end there; nil where there is none.
func (c *cursor) signature(end int) []byte {
	for c.at < end && c.ok() {
		c.at = aligned(c.at, 8)
		field, length, kind, _ := c.byte(), c.byte(), c.byte(), c.byte()
		if length != 1 {
			return nil
		}
		switch kind {
		case 's', 'o':
			c.skip(c.number() + 1)
		case 'u':
			c.number()
		case 'g':
			n := c.byte()
			if c.skip(n + 1); field == signature && c.ok() {
				return c.data[c.at-n-1 : c.at-1]
			}
		default:
			return nil
		}
	}
	return nil
}
