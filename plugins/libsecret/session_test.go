package libsecret

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/big"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/msalext/msalext/extensions/backend"
)

// The prime of RFC 2409 is 2^1024 - 2^960 - 1 + 2^64 * (floor(2^894 pi) + 129093),
// and both it and (p-1)/2 are prime.
func TestPrime(t *testing.T) {
	t.Parallel()
	if prime == nil || prime.BitLen() != 1024 || !prime.ProbablyPrime(20) {
		t.Fatal("it isn't a prime of 1024 bits")
	}
	if half := new(big.Int).Rsh(prime, 1); !half.ProbablyPrime(20) {
		t.Error("(p-1)/2 isn't prime")
	}
	rest := new(big.Int).Sub(prime, new(big.Int).Lsh(big.NewInt(1), 1024))
	rest.Add(rest, new(big.Int).Lsh(big.NewInt(1), 960)).Add(rest, big.NewInt(1))
	pi, left := new(big.Int).QuoRem(rest, new(big.Int).Lsh(big.NewInt(1), 64), new(big.Int))
	if left.Sign() != 0 {
		t.Error("the last 64 bits are wrong")
	}
	// 3.14159 in 894 fractional bits begins with these.
	if pi.Sub(pi, big.NewInt(129093)); new(big.Int).Rsh(pi, 894-48).Text(16) != "3243f6a8885a3" {
		t.Errorf("in the middle stands %x", new(big.Int).Rsh(pi, 894-48))
	}
}

// Both sides, one of them with a shared secret that begins with a zero byte:
// it is padded to the length of the prime, as libsecret does.
func TestKey(t *testing.T) {
	t.Parallel()
	e := exchange{private: big.NewInt(5)}
	// 2^5 mod p = 32, as a number of 128 bytes; HKDF-SHA256 without salt and info.
	key, err := e.key([]byte{2})
	if want := "ab363fc4063f3ff7bf76f062a713a4ee"; err != nil || hex.EncodeToString(key) != want {
		t.Errorf("%x, %v, want %s", key, err, want)
	}
	a, errA := newExchange()
	b, errB := newExchange()
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	ours, errA := a.key(b.public.Bytes())
	theirs, errB := b.key(a.public.FillBytes(make([]byte, 200)))
	if errA != nil || errB != nil || !bytes.Equal(ours, theirs) {
		t.Errorf("%x, %v and %x, %v", ours, errA, theirs, errB)
	}
	if a.private.Cmp(b.private) == 0 {
		t.Error("two exchanges have one private key")
	}
}

func TestKeysThatAnybodyKnows(t *testing.T) {
	t.Parallel()
	e, err := newExchange()
	if err != nil {
		t.Fatal(err)
	}
	for name, n := range map[string]*big.Int{
		"0": big.NewInt(0), "1": big.NewInt(1), "p-1": new(big.Int).Sub(prime, big.NewInt(1)),
		"p": prime, "p+1": new(big.Int).Add(prime, big.NewInt(1)),
	} {
		if key, err := e.key(n.Bytes()); !errors.Is(err, backend.ErrEncrypt) {
			t.Errorf("%s: %x, %v", name, key, err)
		}
	}
}

// The first block of NIST SP 800-38A, F.2.1, and as OpenSSL pads it.
func TestOpenOfAKnownVector(t *testing.T) {
	t.Parallel()
	s := session{path: "/s", key: unhex(t, "2b7e151628aed2a6abf7158809cf4f3c")}
	iv := unhex(t, "000102030405060708090a0b0c0d0e0f")
	const block, plain = "7649abac8119b246cee98e9b12e9197d", "6bc1bee22e409f96e93d7e117393172a"
	data, err := s.open(secret{Parameters: iv, Value: unhex(t, block+"8964e0b149c10b7b682e6e39aaeb731c")})
	if err != nil || hex.EncodeToString(data) != plain {
		t.Errorf("%x, %v", data, err)
	}
	// The second block of the vector isn't padding.
	if data, err := s.open(secret{Parameters: iv, Value: unhex(t, block+"5086cb9b507219ee95db113a917678b2")}); !errors.Is(err, backend.ErrDecrypt) {
		t.Errorf("without padding: %x, %v", data, err)
	}
	sealed, err := s.seal(unhex(t, plain))
	if err != nil || len(sealed.Value) != 32 || sealed.ContentType != "text/plain" || sealed.Session != "/s" {
		t.Fatalf("%+v, %v", sealed, err)
	}
	data, err = s.open(sealed)
	if err != nil || hex.EncodeToString(data) != plain {
		t.Errorf("%x, %v", data, err)
	}
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSealIsNeverTheSame(t *testing.T) {
	t.Parallel()
	s := session{key: make([]byte, 16)}
	data := []byte("the same")
	a, errA := s.seal(data)
	b, errB := s.seal(data)
	if errA != nil || errB != nil || bytes.Equal(a.Parameters, b.Parameters) || bytes.Equal(a.Value, b.Value) {
		t.Errorf("%v %v, %v %v", a, errA, b, errB)
	}
	if string(data) != "the same" {
		t.Error("it writes into the caller's data")
	}
}

func FuzzSeal(f *testing.F) {
	for n := range 34 {
		f.Add(bytes.Repeat([]byte{byte(n)}, n))
	}
	s := session{path: "/s", key: make([]byte, 16)}
	f.Fuzz(func(t *testing.T, data []byte) {
		sealed, err := s.seal(data)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.open(sealed); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%x became %x, %v", data, got, err)
		}
	})
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte{}, []byte{})
	f.Add(make([]byte, 16), make([]byte, 16))
	f.Add(make([]byte, 8), make([]byte, 24))
	s := session{key: make([]byte, 16)}
	f.Fuzz(func(t *testing.T, iv, value []byte) {
		data, err := s.open(secret{Parameters: iv, Value: value})
		if err != nil && !errors.Is(err, backend.ErrDecrypt) || err == nil && len(data) >= len(value) {
			t.Errorf("%x, %v", data, err)
		}
	})
}

func TestReceived(t *testing.T) {
	t.Parallel()
	path := dbus.ObjectPath("/s")
	good := []any{path, []byte{1}, "\x02", uint32(0), "text/plain"}
	for _, fields := range [][]any{good, {path, []byte{1}, []byte{2}, "text/plain"}} {
		got, ok := received([]any{fields})
		if !ok || got.Session != "/s" || got.ContentType != "text/plain" || got.Parameters[0] != 1 || got.Value[0] != 2 {
			t.Errorf("%v: %+v, %v", fields, got, ok)
		}
	}
	for name, body := range map[string][]any{
		"nothing": nil, "two": {good, good}, "three fields": {good[:3]}, "four of five": {good[:4]}, "text": {"x"},
		"a path as text":  {[]any{"/s", []byte{1}, []byte{2}, "text/plain"}},
		"no bytes":        {[]any{path, "1", []byte{2}, "text/plain"}},
		"a value as text": {[]any{path, []byte{1}, "\x02", "text/plain"}},
		"five as bytes":   {[]any{path, []byte{1}, []byte{2}, uint32(0), "text/plain"}},
		"five strings":    {[]any{path, []byte{1}, "\x02", "0", "text/plain"}},
	} {
		if got, ok := received(body); ok {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
