package libsecret

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"io"
	"reflect"
	"testing"
	"testing/iotest"

	"github.com/godbus/dbus/v5"
)

var bothOrders = map[string]binary.ByteOrder{"little endian": binary.LittleEndian, "big endian": binary.BigEndian}

// answer is a message as a service sends it.
func answer(t testing.TB, order binary.ByteOrder, kind dbus.Type, body ...any) []byte {
	t.Helper()
	m := &dbus.Message{Type: kind, Body: body, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldReplySerial: dbus.MakeVariant(uint32(7)), dbus.FieldSender: dbus.MakeVariant(":1.2"), dbus.FieldDestination: dbus.MakeVariant(":1.10"),
		dbus.FieldPath: dbus.MakeVariant(dbus.ObjectPath("/a")), dbus.FieldInterface: dbus.MakeVariant("a.b"), dbus.FieldMember: dbus.MakeVariant("Cd"),
		dbus.FieldErrorName: dbus.MakeVariant("a.b.C"),
	}}
	if len(body) > 0 {
		m.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(body...))
	}
	var text bytes.Buffer
	if err := m.EncodeTo(&text, order); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// decoded is the body that godbus makes of what comes in.
func decodedBody(t testing.TB, r io.Reader) []any {
	t.Helper()
	message, err := frame(r)
	if err != nil {
		t.Fatal(err)
	}
	m, err := dbus.DecodeMessage(bytes.NewReader(textual(message)))
	if err != nil {
		t.Fatal(err)
	}
	return m.Body
}

func random(size int) []byte {
	data := make([]byte, size)
	_, _ = rand.Read(data)
	return data
}

func TestSecretsThatComeIn(t *testing.T) {
	t.Parallel()
	for name, order := range bothOrders {
		for _, size := range []int{0, 16, 32, 4096, 1 << 20} {
			for _, sent := range []secret{
				{"/org/freedesktop/secrets/session/s1", random(16), random(size), "text/plain"},
				{"/s", random(15), random(size), "text/plain; charset=utf-8"},
				{"/", nil, make([]byte, size), ""},
			} {
				got, ok := received(decodedBody(t, iotest.OneByteReader(bytes.NewReader(answer(t, order, dbus.TypeMethodReply, sent)))))
				if !ok || got.Session != sent.Session || !bytes.Equal(got.Parameters, sent.Parameters) || !bytes.Equal(got.Value, sent.Value) || got.ContentType != sent.ContentType {
					t.Errorf("%s, %d bytes: %v, %.60v is %.60v", name, size, ok, sent, got)
				}
			}
		}
	}
}

// Several messages follow each other, and what isn't a reply with a secret
// comes as it was.
func TestOtherMessages(t *testing.T) {
	t.Parallel()
	odd := secret{"/s", random(16), random(15), "text/plain"} // no whole word
	for name, order := range bothOrders {
		all := [][]byte{
			answer(t, order, dbus.TypeMethodReply),
			answer(t, order, dbus.TypeMethodReply, "text", uint32(1), []byte{1, 2, 3}),
			answer(t, order, dbus.TypeMethodReply, odd),
			answer(t, order, dbus.TypeMethodReply, odd, "more"),
			answer(t, order, dbus.TypeError, secret{"/s", random(16), random(16), "text/plain"}),
			answer(t, order, dbus.TypeSignal, secret{"/s", random(16), random(16), "text/plain"}),
			answer(t, order, dbus.TypeMethodCall, secret{"/s", random(16), random(16), "text/plain"}),
		}
		r := bytes.NewReader(bytes.Join(all, nil))
		for i, want := range all {
			message, err := frame(r)
			if got := textual(bytes.Clone(message)); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: message %d becomes %q, %v, from %q", name, i, got, err, want)
			}
		}
		if _, err := frame(r); err != io.EOF {
			t.Errorf("behind the last: %v", err)
		}
	}
}

// What is sent is what godbus by itself would send, in the machine's order.
func TestSecretsThatGoOut(t *testing.T) {
	t.Parallel()
	native := binary.ByteOrder(binary.LittleEndian)
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		native = binary.BigEndian
	}
	properties := map[string]dbus.Variant{"a": dbus.MakeVariant(map[string]string{"b": "c"})}
	for _, size := range []int{16, 10_000} {
		sent := secret{"/s", random(16), random(size), "text/plain"}
		for _, args := range [][]any{{sent}, {properties, sent, true}, {"no secret"}, {}} {
			m := message(dbus.FlagNoAutoStart, ":1.2", "/a", "a.b.Cd", args)
			var ours bytes.Buffer
			if err := m.EncodeTo(&ours, native); err != nil {
				t.Fatal(err)
			}
			got, err := dbus.DecodeMessage(&ours)
			if err != nil {
				t.Fatal(err)
			}
			var theirs bytes.Buffer
			m.Body = args
			if err := m.EncodeTo(&theirs, native); err != nil {
				t.Fatal(err)
			}
			want, err := dbus.DecodeMessage(&theirs)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%.200v, want %.200v, %v", got, want, err)
			}
		}
	}
}

func FuzzFrames(f *testing.F) {
	for _, order := range bothOrders {
		f.Add(answer(f, order, dbus.TypeMethodReply, secret{"/s", random(16), random(16), "text/plain"}))
		f.Add(answer(f, order, dbus.TypeMethodReply, "text"))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		r := bytes.NewReader(sent)
		for {
			message, err := frame(r)
			if err != nil {
				return
			}
			if got := textual(bytes.Clone(message)); !bytes.Equal(got, message) && len(got) != len(message)+8 {
				t.Errorf("%q becomes %q", message, got)
			}
		}
	})
}
